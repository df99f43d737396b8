//! What does not compile, and in which words it is refused.
//!
//! After a wanted change of the words: `TRYBUILD=overwrite cargo test --test compile_fail`, then read the diff.

#![cfg(feature = "macros")]

/// The macros' own errors: each stands at the token that is wrong, says what, and what to write instead.
#[test]
fn a_wrong_use_of_a_macro_is_refused_at_the_token() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/macros/*.rs");
}

/// What must not cross threads or outlive its owner is kept out of jobs, and a mistake in the body of `main` is
/// shown in the body. The words are the compiler's, and a new one may choose others: what is to stay is that
/// each is refused, and where.
#[test]
fn a_wrong_type_is_refused_where_it_stands() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/types/*.rs");
}

/// The counterpart, without which a crate that refuses everything would pass the two above.
#[test]
fn the_right_uses_compile_and_run() {
    trybuild::TestCases::new().pass("tests/compile_fail/passes/*.rs");
}
