//! The executable that Lambda starts.

fn main() -> Result<(), lambda_runtime::Error> {
    tandem_functions::main()
}
