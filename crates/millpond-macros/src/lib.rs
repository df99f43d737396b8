//! The attribute macros of `millpond`. Use them from there: `#[millpond::main]` and `#[millpond::test]`.
//!
//! A macro call runs through three files: `arguments` reads what stands between the parentheses, `known` checks
//! each value by one table, `expand` checks the function and writes the code in its place. All of them work on
//! `proc_macro2` tokens, so that they run in plain unit tests. A mistake is an error at the token that is wrong,
//! and the function is expanded all the same, so that one mistake does not bring others with it.

mod arguments;
mod expand;
mod known;

use expand::Entry;
use proc_macro::TokenStream;

// rustdoc puts these lines below the documentation at millpond's re-exports, where the examples can run.

/// Use it as `millpond::main`: the code that it writes names `millpond`, not the crate `millpond-macros` it lives in.
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Entry::Main, arguments.into(), item.into()).into()
}

/// Use it as `millpond::test`: the code that it writes names `millpond`, not the crate `millpond-macros` it lives in.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Entry::Test, arguments.into(), item.into()).into()
}
