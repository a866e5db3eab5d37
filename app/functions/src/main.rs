//! The executable that Lambda starts.

use std::process::ExitCode;

fn main() -> ExitCode {
    match tandem_functions::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Lambda puts it into the function's log.
            eprintln!("the function cannot run: {error}");
            ExitCode::FAILURE
        }
    }
}
