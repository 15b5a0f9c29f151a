//! `dunlinctl bench` as people run it: the binary, against real servers and against one that does wrong.

mod agents;
mod faults;
mod faulty;
mod invocation;
mod logins;
mod operator;
mod reports;
mod servers;
mod studies;
mod terminal;
mod trouble;
