//! How many threads a local chat model computes with.
//!
//! The libraries under it read that once, from the environment, and by default take every core and spin on it, which
//! leaves none for the server and is slower than fewer threads on a busy machine.

use std::{env, os::unix::process::CommandExt, process::Command, thread};

use engine_models::threads_environment;

/// Starts the program anew, in the same process, with the threads settled, unless whoever started it did that.
pub(crate) fn settle() {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let wanted = threads_environment(cores / 2);
    if wanted.iter().any(|(name, _)| env::var_os(name).is_some()) {
        return;
    }
    let Ok(program) = env::current_exe() else {
        return;
    };
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_else(|| program.clone().into());
    // Returns only where it fails; then the libraries' own default has to do.
    let _ = Command::new(program)
        .arg0(name)
        .args(arguments)
        .envs(wanted)
        .exec();
}
