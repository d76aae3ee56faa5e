//! `densenet`: classify pictures and run tensors through any trained DenseNet, on any GPU.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
