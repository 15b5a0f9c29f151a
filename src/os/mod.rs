//! The operating-system fence: what the server asks of the kernel besides reading and writing sockets.
//!
//! - `affinity`: which CPUs there are, which cores run on them, pinning;
//! - `argv`: hides secrets of the command line;
//! - `client_listener`: accepts clients, and gives them what they do not inherit;
//! - `core_dumps`: no memory image of this process leaves it;
//! - `errno`: what the kernel said, in the peer's words;
//! - `interfaces`: addresses of this host;
//! - `listener`: bound and listening sockets, and what accepted ones inherit;
//! - `local_listener`: a listening Unix socket and its file;
//! - `memory`: gives unused memory back;
//! - `notify`: what a service manager is told;
//! - `open_files`: the bound on file descriptors;
//! - `process`: other processes of this program, and signals to them;
//! - `run_files`: the pid file and the ports file, by which others find this process;
//! - `signal`: signals to this process, as an enum;
//! - `usage`: CPU time and memory of this process and its threads.

pub mod affinity;
pub mod argv;
mod client_listener;
pub mod core_dumps;
pub mod errno;
pub mod interfaces;
pub mod listener;
pub mod local_listener;
pub mod memory;
pub mod notify;
pub mod open_files;
pub mod poll;
pub mod process;
pub mod run_files;
pub mod signal;
pub mod usage;
