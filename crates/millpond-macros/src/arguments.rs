//! What stands between the parentheses: `worker_threads = 3, driver = "epoll"`.
//!
//! Reading goes on after a mistake, behind the next comma, so that one build reports every mistake.

use crate::known::{self, Known, Value};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Ident, Lit, Path, Token, parse_quote};

/// The arguments that were right, in the order written.
#[derive(Default)]
pub(crate) struct Arguments {
    settings: Vec<Setting>,
    /// Where the expansion finds `Pool`, `Driver` and `Pin`, if that is not `::millpond`.
    crate_path: Option<Path>,
    /// Everything that was right, as written: what a second one of its kind is held against.
    written: Vec<(&'static str, String)>,
}

/// One call on the builder.
struct Setting {
    known: &'static Known,
    /// Where the caller wrote the name: an editor shows the page of the builder's method there.
    span: Span,
    value: Value,
}

impl Arguments {
    /// Reads `tokens`. Wrong arguments are left out; the error, if there is one, holds all of them.
    pub(crate) fn read(tokens: TokenStream) -> (Arguments, Option<Error>) {
        let mut arguments = Arguments::default();
        let mut errors = Vec::new();
        let read_all = |input: ParseStream<'_>| {
            while !input.is_empty() {
                errors.extend(arguments.read_one(input).err());
                take_until_comma(input)?;
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        };
        let unread = read_all.parse2(tokens).err();
        let combine = |mut all: Error, error| {
            all.combine(error);
            all
        };
        (arguments, errors.into_iter().chain(unread).reduce(combine))
    }

    /// Reads one `name = value`. After an error the rest of it may still be in `input`.
    fn read_one(&mut self, input: ParseStream<'_>) -> Result<(), Error> {
        let (name, known) = read_name(input)?;
        let (value, text) = read_value(input, &name, known)?;

        let written = format!("{name} = {text}");
        if let Some((_, first)) = self.written.iter().find(|(given, _)| *given == known.name) {
            let message = format!("`{}` is given twice: keep one of `{first}` and `{written}`", known.name);
            return Err(Error::new_spanned(name, message));
        }
        self.written.push((known.name, written));
        match value {
            Value::CratePath(path) => self.crate_path = Some(path),
            value => self.settings.push(Setting { known, span: name.span(), value }),
        }
        Ok(())
    }

    /// Sets what a test wants where its author has not said otherwise.
    pub(crate) fn default_for_test(&mut self) {
        // Two workers show what one hides: jobs that run at the same time.
        self.set_default("worker_threads", Value::Literal(parse_quote!(2)));
        // Tests run beside each other in one process: pinned, all their pools would share the first CPUs.
        self.set_default("pin", Value::Variant { of: "Pin", variant: "None" });
    }

    fn set_default(&mut self, name: &str, value: Value) {
        let known = known::find(name).expect("the name of a row of the table");
        if !self.settings.iter().any(|setting| setting.known.name == name) {
            self.settings.push(Setting { known, span: Span::call_site(), value });
        }
    }

    /// The expression that builds the pool: a `Result<Pool, BuildError>`.
    pub(crate) fn build_expression(&self) -> TokenStream {
        let crate_path = self.crate_path.clone().unwrap_or_else(|| parse_quote!(::millpond));
        let calls = self.settings.iter().map(|setting| {
            let method = Ident::new(setting.known.name, setting.span);
            let value = setting.value.tokens(&crate_path);
            quote!(.#method(#value))
        });
        quote!(#crate_path::Pool::builder() #(#calls)* .build())
    }
}

/// Reads `name =`.
fn read_name(input: ParseStream<'_>) -> Result<(Ident, &'static Known), Error> {
    let name = input.call(Ident::parse_any).map_err(|error| {
        let message = format!("not an argument: write `name = value`; known are {}", known::list());
        Error::new(error.span(), message)
    })?;
    let Some(known) = known::find(&name.to_string()) else {
        let message = format!("unknown argument `{name}`: known are {}", known::list());
        return Err(Error::new_spanned(name, message));
    };
    match input.parse::<Option<Token![=]>>()? {
        Some(_) => Ok((name, known)),
        None => Err(without_value(name, known)),
    }
}

/// Reads the value, up to the comma behind it.
fn read_value(input: ParseStream<'_>, name: &Ident, known: &Known) -> Result<(Value, String), Error> {
    if !input.peek(Lit) {
        let tokens = take_until_comma(input)?;
        if tokens.is_empty() {
            return Err(without_value(name.clone(), known));
        }
        return Ok((known.check_tokens(name, &tokens)?, tokens.to_string()));
    }
    let literal: Lit = input.parse()?;
    let text = literal.to_token_stream().to_string();
    if !input.is_empty() && !input.peek(Token![,]) {
        let message =
            format!("`{name} = {text}` goes on here: put a comma behind it, or write one plain value");
        return Err(input.error(message));
    }
    Ok((known.check(name, &literal)?, text))
}

fn without_value(name: Ident, known: &Known) -> Error {
    let message = format!("`{name}` has no value: write it as in `{}`", known.example);
    Error::new_spanned(name, message)
}

fn take_until_comma(input: ParseStream<'_>) -> Result<TokenStream, Error> {
    let mut taken = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        taken.extend([input.parse::<TokenTree>()?]);
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    /// What `arguments` becomes, without spaces.
    fn built(arguments: &str) -> String {
        let (arguments, errors) = Arguments::read(TokenStream::from_str(arguments).unwrap());
        assert!(errors.is_none(), "{errors:?}");
        arguments.build_expression().to_string().replace(' ', "")
    }

    /// The message of the one mistake in `arguments`.
    fn only_error(arguments: &str) -> String {
        let (_, errors) = Arguments::read(TokenStream::from_str(arguments).unwrap());
        let errors: Vec<_> = errors.into_iter().flatten().map(|error| error.to_string()).collect();
        assert_eq!(errors.len(), 1, "{errors:?}");
        errors.concat()
    }

    #[test]
    fn no_arguments_leave_the_builders_defaults() {
        assert_eq!(built(""), "::millpond::Pool::builder().build()");
    }

    #[test]
    fn every_argument_reaches_the_builder() {
        assert_eq!(
            built(
                "worker_threads = 3, driver = \"epoll\", pin = \"none\", queue_capacity = 1_000, \
                 max_tasks_per_worker = 5, ring_entries = 32768, thread_name = \"mill\","
            ),
            "::millpond::Pool::builder().worker_threads(3).driver(::millpond::Driver::Epoll)\
             .pin(::millpond::Pin::None).queue_capacity(1_000).max_tasks_per_worker(5)\
             .ring_entries(32768).thread_name(\"mill\").build()"
        );
    }

    #[test]
    fn threads_is_worker_threads() {
        assert_eq!(built("threads = 3"), built("worker_threads = 3"));
    }

    #[test]
    fn every_word_has_its_variant() {
        for (argument, variant) in [
            ("driver = \"auto\"", "Driver::Auto"),
            ("driver = \"io_uring\"", "Driver::IoUring"),
            ("driver = \"epoll\"", "Driver::Epoll"),
            ("pin = \"cores\"", "Pin::Cores"),
            ("pin = \"none\"", "Pin::None"),
        ] {
            assert!(built(argument).contains(&format!("(::millpond::{variant})")), "{argument}");
        }
    }

    #[test]
    fn crate_holds_wherever_it_stands() {
        let expected = "my::pond::Pool::builder().driver(my::pond::Driver::Auto).build()";
        assert_eq!(built("crate = \"my::pond\", driver = \"auto\""), expected);
        assert_eq!(built("driver = \"auto\", crate = \"my::pond\""), expected);
        assert_eq!(built("crate = \"crate\""), "crate::Pool::builder().build()");
        assert_eq!(built("crate = my::pond, driver = \"auto\""), expected);
    }

    #[test]
    fn a_test_has_two_unpinned_workers_unless_it_says_otherwise() {
        let of_a_test = |arguments: &str| {
            let (mut arguments, errors) = Arguments::read(TokenStream::from_str(arguments).unwrap());
            assert!(errors.is_none(), "{errors:?}");
            arguments.default_for_test();
            arguments.build_expression().to_string().replace(' ', "")
        };
        assert_eq!(of_a_test(""), built("worker_threads = 2, pin = \"none\""));
        assert_eq!(of_a_test("threads = 7"), built("threads = 7, pin = \"none\""));
        assert_eq!(of_a_test("pin = \"cores\""), built("pin = \"cores\", threads = 2"));
    }

    #[test]
    fn an_unknown_argument_is_answered_with_the_known_ones() {
        let message = only_error("flavor = \"current_thread\"");
        assert!(message.contains("`flavor`"), "{message}");
        for name in ["worker_threads", "threads", "driver", "pin", "queue_capacity", "crate"] {
            assert!(message.contains(&format!("`{name}`")), "{name}: {message}");
        }
    }

    #[test]
    fn the_same_argument_twice_is_refused() {
        let twice = |arguments: &str| {
            let message = only_error(arguments);
            assert!(message.contains("is given twice"), "{message}");
            message
        };
        twice("worker_threads = 3, worker_threads = 3");
        twice("crate = \"a\", crate = \"b\"");
        let message = twice("threads = 3, worker_threads = 4");
        assert!(message.contains("`threads = 3` and `worker_threads = 4`"), "{message}");
    }

    #[test]
    fn a_wrong_value_is_named_with_the_way_out() {
        for (argument, what) in [
            ("worker_threads = 0", "is out of range: write a whole number from 1 to 65535"),
            ("worker_threads = 65536", "is out of range"),
            ("queue_capacity = 0", "is out of range: write a whole number, at least 1"),
            ("worker_threads = - 1", "is out of range"),
            ("queue_capacity = 18446744073709551616", "is out of range"),
            ("max_tasks_per_worker = 0", "is out of range"),
            ("ring_entries = 0", "is out of range: write a whole number from 1 to 32768"),
            ("ring_entries = 32769", "is out of range"),
            ("worker_threads = \"3\"", "has the wrong type"),
            ("worker_threads = 3.0", "has the wrong type"),
            ("worker_threads = 3u8", "has the wrong type"),
            ("driver = 3", "has the wrong type: write one of `\"auto\"`, `\"io_uring\"`, `\"epoll\"`"),
            ("driver = \"legacy\"", "is not known: write one of"),
            ("pin = \"core\"", "is not known: write one of `\"cores\"`, `\"none\"`"),
            ("pin = true", "has the wrong type"),
            ("thread_name = 'm'", "has the wrong type"),
            ("thread_name = \"a\\0b\"", "has a NUL inside"),
            ("crate = \"a b\"", "is not a path"),
            ("crate = \"\"", "is not a path"),
            ("crate = 3", "has the wrong type"),
            ("crate = [pond]", "is not a path"),
            ("worker_threads = WORKERS", "is not a plain value"),
        ] {
            let message = only_error(argument);
            assert!(message.starts_with(&format!("`{argument}` {what}")), "{argument}: {message}");
        }
    }

    #[test]
    fn what_is_no_argument_says_so() {
        for (arguments, what) in [
            ("\"epoll\"", "not an argument"),
            (", threads = 3", "not an argument"),
            ("worker_threads", "`worker_threads` has no value"),
            ("worker_threads(3)", "`worker_threads` has no value"),
            ("worker_threads =", "`worker_threads` has no value"),
            ("threads = 3 pin = \"none\"", "`threads = 3` goes on here: put a comma"),
            ("threads = 3 + 4", "`threads = 3` goes on here: put a comma"),
        ] {
            let message = only_error(arguments);
            assert!(message.starts_with(what), "{arguments}: {message}");
        }
    }

    #[test]
    fn every_mistake_is_reported_and_the_rest_is_kept() {
        let text = "flavor = 1, worker_threads = 3, driver = f(1, 2), pin = 5";
        let (arguments, all) = Arguments::read(TokenStream::from_str(text).unwrap());
        assert_eq!(all.into_iter().flatten().count(), 3);
        let built = arguments.build_expression().to_string().replace(' ', "");
        assert_eq!(built, "::millpond::Pool::builder().worker_threads(3).build()");
    }
}
