//! `dunlinctl top`, `server check` and `rtt` as people and alerting systems run them: against a monitoring port that says what a test
//! wants, against real servers, and in a terminal through tmux.

mod check_client;
mod check_pages;
mod fake_monitor;
mod invocation;
mod real_monitor;
mod rtt;
mod tmux;
mod top_real_servers;
mod top_restart;
mod top_screen;
mod top_scripts;
