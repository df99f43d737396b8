//! The function under the attribute, and the code in its place.
//!
//! The body moves into an `async fn` inside the function: it has the caller's tokens and the caller's return
//! type, so `return`, `?`, inference and errors are those of any other `async fn`. That inner function bears
//! the outer one's name, which is how tools that name a test by its `type_name` go on working.

use crate::arguments::Arguments;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Error, Signature, Visibility};

/// Which of the two macros.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Entry {
    Main,
    Test,
}

/// The function, its body unread: a body that is not yet right is the compiler's to judge, and an editor needs
/// it in the expansion even so.
struct Function {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    signature: Signature,
    body: Group,
}

pub(crate) fn expand(entry: Entry, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let message = format!("{} goes on an `async fn` with a body", entry.attribute());
            let error = Error::new(error.span(), message).into_compile_error();
            return quote!(#error #item);
        }
    };
    let (mut arguments, argument_errors) = Arguments::read(arguments);
    if entry == Entry::Test {
        arguments.default_for_test();
    }
    let function_error = function.check(entry).err();
    let code = match function_error {
        None => function.run_on_pool(entry, &arguments),
        Some(_) => function.stub(),
    };
    let errors = argument_errors.into_iter().chain(function_error).map(Error::into_compile_error);
    quote!(#(#errors)* #code)
}

impl Function {
    /// The first thing about the function that the macro cannot serve, as an error at that token.
    fn check(&self, entry: Entry) -> Result<(), Error> {
        let Signature { ident: name, asyncness, unsafety, abi, generics, inputs, .. } = &self.signature;
        let attribute = entry.attribute();
        if asyncness.is_none() {
            let message = format!("`{name}` is not async: write `async fn {name}`, or remove {attribute}");
            return Err(Error::new_spanned(self.signature.fn_token, message));
        }
        if let Some(keyword) =
            unsafety.as_ref().map(ToTokens::to_token_stream).or(abi.as_ref().map(ToTokens::to_token_stream))
        {
            let message = format!("{attribute} goes on a safe Rust function: remove `{keyword}`");
            return Err(Error::new_spanned(keyword, message));
        }
        if !generics.params.is_empty() {
            let message =
                format!("`{name}` is generic, and nothing tells {attribute} for what: remove the generics");
            return Err(Error::new_spanned(generics, message));
        }
        if !inputs.is_empty() {
            let way_out = match entry {
                Entry::Main => "remove them; `std::env::args` has the command line",
                Entry::Test => "remove them",
            };
            let message = format!("`{name}` takes parameters, and {attribute} has none to give: {way_out}");
            return Err(Error::new_spanned(inputs, message));
        }
        match self.attributes.iter().find(|attribute| is_test(attribute)) {
            Some(second) if entry == Entry::Test => {
                let message =
                    format!("{attribute} makes `{name}` a test already, and it would run twice: remove this");
                Err(Error::new_spanned(second, message))
            }
            _ => Ok(()),
        }
    }

    fn run_on_pool(&self, entry: Entry, arguments: &Arguments) -> TokenStream {
        let Function { attributes, visibility, signature: inner, body } = self;
        let mut outer = inner.clone();
        outer.asyncness = None;
        let name = &inner.ident;
        let test_attribute = (entry == Entry::Test).then(|| quote!(#[::core::prelude::v1::test]));
        let build = arguments.build_expression();
        let refuse = entry.on_build_error();
        quote! {
            #test_attribute
            #(#attributes)*
            #visibility #outer {
                // The macro asks for `async`, with or without something to await.
                #[allow(clippy::unused_async)]
                #inner #body

                let pool = match #build {
                    ::core::result::Result::Ok(pool) => pool,
                    ::core::result::Result::Err(error) => #refuse,
                };
                pool.block_on(#name())
            }
        }
    }

    /// Something of the same name, so that the error at hand is not followed by a missing `main`.
    fn stub(&self) -> TokenStream {
        let Function { visibility, signature, .. } = self;
        let name = &signature.ident;
        quote!(#[allow(dead_code)] #visibility fn #name() {})
    }
}

impl Entry {
    fn attribute(self) -> &'static str {
        match self {
            Entry::Main => "`#[millpond::main]`",
            Entry::Test => "`#[millpond::test]`",
        }
    }

    /// What the function does with the `error` of a pool that could not be built. It diverges.
    fn on_build_error(self) -> TokenStream {
        match self {
            Entry::Main => quote! {{
                ::std::eprintln!("millpond: {}", error);
                ::std::process::exit(1)
            }},
            Entry::Test => quote!(::core::panic!("{}", error)),
        }
    }
}

/// Whether this is the standard library's `#[test]`, by one of its names.
fn is_test(attribute: &Attribute) -> bool {
    let path = attribute.path();
    path.is_ident("test")
        || matches!(path.segments.first(), Some(first) if first.ident == "core" || first.ident == "std")
            && matches!(path.segments.last(), Some(last) if last.ident == "test")
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Function {
            attributes: input.call(Attribute::parse_outer)?,
            visibility: input.parse()?,
            signature: input.parse()?,
            body: parse_body(input)?,
        })
    }
}

/// The body is a braced group, or an invisible group around one: a `block` of a declarative macro.
fn parse_body(input: ParseStream<'_>) -> syn::Result<Group> {
    let token: TokenTree = input.parse()?;
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Ok(group),
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => parse_body.parse2(group.stream()),
        token => Err(Error::new_spanned(token, "expected a body")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    fn tokens(text: &str) -> TokenStream {
        TokenStream::from_str(text).unwrap()
    }

    fn expanded(entry: Entry, arguments: &str, item: &str) -> String {
        expand(entry, tokens(arguments), tokens(item)).to_string()
    }

    /// The message of the first error in `item`'s expansion.
    fn error(entry: Entry, item: &str) -> String {
        let code = expanded(entry, "", item);
        let (_, message) = code.split_once(":: core :: compile_error ! { \"").expect("an error");
        message.split_once("\" }").unwrap().0.to_owned()
    }

    #[test]
    fn the_function_keeps_all_but_async_and_its_body_stands_in_it_once() {
        let item = "/// Doc.\n #[cold] pub(crate) async fn main() -> Result<(), E> { marker()?; Ok(()) }";
        let code = expanded(Entry::Main, "", item);
        let outer = tokens("/// Doc.\n #[cold] pub(crate) fn main() -> Result<(), E>").to_string();
        let inner = tokens("async fn main() -> Result<(), E> { marker()?; Ok(()) }").to_string();
        assert!(code.starts_with(&outer) && code.contains(&inner), "{code}");
        assert_eq!(code.matches("marker").count(), 1);
    }

    #[test]
    fn a_test_is_marked_as_one() {
        let code = expanded(Entry::Test, "", "#[ignore] async fn waits() {}");
        let outer = tokens("#[::core::prelude::v1::test] #[ignore] fn waits()").to_string();
        assert!(code.starts_with(&outer), "{code}");
    }

    #[test]
    fn a_function_that_cannot_be_served_is_told_why() {
        for (entry, item, message) in [
            (Entry::Main, "struct Main;", "`#[millpond::main]` goes on an `async fn` with a body"),
            (Entry::Main, "async fn main();", "`#[millpond::main]` goes on an `async fn` with a body"),
            (Entry::Main, "fn main() {}", "`main` is not async: write `async fn main`"),
            (Entry::Main, "async unsafe fn main() {}", "`#[millpond::main]` goes on a safe Rust function"),
            (
                Entry::Main,
                "async extern \"C\" fn main() {}",
                "`#[millpond::main]` goes on a safe Rust function",
            ),
            (Entry::Main, "async fn main<T>() {}", "`main` is generic"),
            (Entry::Main, "async fn main(n: u8) {}", "`main` takes parameters"),
            (Entry::Test, "fn checks() {}", "`checks` is not async: write `async fn checks`"),
            (Entry::Test, "async fn checks(n: u8) {}", "`checks` takes parameters"),
            (
                Entry::Test,
                "#[test] async fn checks() {}",
                "`#[millpond::test]` makes `checks` a test already",
            ),
            (Entry::Test, "#[core::prelude::v1::test] async fn checks() {}", "`#[millpond::test]` makes"),
        ] {
            let found = error(entry, item);
            assert!(found.starts_with(message), "{item}: {found}");
        }
    }

    #[test]
    fn a_wrong_argument_leaves_the_function_in_place() {
        let code = expanded(Entry::Main, "flavor = 3", "async fn main() { marker() }");
        assert!(
            code.contains("compile_error") && code.contains("fn main () {") && code.contains("marker"),
            "{code}"
        );
    }

    #[test]
    fn a_wrong_function_leaves_one_of_its_name() {
        let code = expanded(Entry::Main, "", "pub async fn main(n: u8) { marker(n) }");
        assert!(code.contains("pub fn main () { }") && !code.contains("marker"), "{code}");
    }
}
