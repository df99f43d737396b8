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

/// Builds a pool and runs the body of an `async fn` on it, once, on the calling thread.
///
/// The page of `millpond::main` has the arguments, what the end of the body does, and examples.
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Entry::Main, arguments.into(), item.into()).into()
}

/// Makes an `async fn` a test that builds a pool and runs the body on it, once, on the test's thread.
///
/// The page of `millpond::test` has the arguments, their defaults, and examples.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Entry::Test, arguments.into(), item.into()).into()
}
