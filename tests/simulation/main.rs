//! The whole broker in one thread from one seed.
//!
//! Each core is the real `Reactor` in a coroutine, over the real rings, on an operating system of ours (`os`, `socket`): virtual time,
//! byte streams with bounded buffers, wakes. `world` decides after each step who goes on: a core at a point where another could have run,
//! the network, a client. `scenarios` are what applications do, `checks` what they may rely on, `mutants` shows that a broken rule is
//! noticed.
//!
//! `DUNLIN_SIM_SCHEDULES=N` runs so many schedules, `DUNLIN_SIM_SEED=S` only that one. A failure names its seed.
#![expect(unreachable_pub, reason = "a program of modules that nobody else uses")]

mod batches;
mod checks;
mod client;
mod mutants;
mod orders;
mod os;
mod proxied;
mod random;
mod scenarios;
mod schedules;
mod secure;
mod shape;
mod socket;
mod storm;
mod terms;
mod world;
