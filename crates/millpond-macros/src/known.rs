//! The arguments there are. `KNOWN` has one row for each; the checks and the error messages go by it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::{Error, Ident, Lit, Path};

/// The kernel's `IORING_MAX_ENTRIES`: a larger ring is refused on every machine.
const RING_ENTRIES_MAX: u64 = 32_768;

/// The pool numbers its workers in 16 bits.
const WORKERS_MAX: u64 = u16::MAX as u64;

/// One argument.
pub(crate) struct Known {
    /// What the caller writes, and the builder's method.
    pub(crate) name: &'static str,
    /// A second name for the same setting.
    alias: Option<&'static str>,
    takes: Takes,
    /// A right use, shown in errors.
    pub(crate) example: &'static str,
}

enum Takes {
    /// A whole number from 1 to `most`.
    Count { most: u64 },
    /// One of a few words; each stands for a variant of the millpond enum `of`.
    Word { of: &'static str, words: &'static [(&'static str, &'static str)] },
    /// The name of a thread. The system takes it as a C string, which a NUL would end early.
    ThreadName,
    /// Where the caller's crate finds millpond.
    CratePath,
}

static KNOWN: [Known; 8] = [
    Known {
        name: "worker_threads",
        alias: Some("threads"),
        takes: Takes::Count { most: WORKERS_MAX },
        example: "worker_threads = 3",
    },
    Known {
        name: "driver",
        alias: None,
        takes: Takes::Word {
            of: "Driver",
            words: &[("auto", "Auto"), ("io_uring", "IoUring"), ("epoll", "Epoll"), ("park", "Park")],
        },
        example: "driver = \"auto\"",
    },
    Known {
        name: "pin",
        alias: None,
        takes: Takes::Word { of: "Pin", words: &[("cores", "Cores"), ("none", "None")] },
        example: "pin = \"cores\"",
    },
    Known {
        name: "queue_capacity",
        alias: None,
        takes: Takes::Count { most: u64::MAX },
        example: "queue_capacity = 1024",
    },
    Known {
        name: "max_tasks_per_worker",
        alias: None,
        takes: Takes::Count { most: u64::MAX },
        example: "max_tasks_per_worker = 256",
    },
    Known {
        name: "ring_entries",
        alias: None,
        takes: Takes::Count { most: RING_ENTRIES_MAX },
        example: "ring_entries = 1024",
    },
    Known { name: "thread_name", alias: None, takes: Takes::ThreadName, example: "thread_name = \"mill\"" },
    Known { name: "crate", alias: None, takes: Takes::CratePath, example: "crate = \"my_millpond\"" },
];

/// A value that was right.
pub(crate) enum Value {
    Literal(Lit),
    Variant { of: &'static str, variant: &'static str },
    CratePath(Path),
}

/// The row of the argument called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name || known.alias == Some(name))
}

/// All the names, for whoever wrote one that is not among them.
pub(crate) fn list() -> String {
    let one = |known: &Known| match known.alias {
        Some(alias) => format!("`{}` (or `{alias}`)", known.name),
        None => format!("`{}`", known.name),
    };
    KNOWN.iter().map(one).collect::<Vec<_>>().join(", ")
}

impl Known {
    /// Checks `value`, written as `name = value`.
    pub(crate) fn check(&self, name: &Ident, value: &Lit) -> Result<Value, Error> {
        match (&self.takes, value) {
            (Takes::Count { most }, Lit::Int(count)) if count.suffix().is_empty() => {
                // Below zero, or beyond 64 bits, it does not parse, and it is out of range too.
                match count.base10_parse::<u64>() {
                    Ok(number) if (1..=*most).contains(&number) => Ok(Value::Literal(value.clone())),
                    _ => Err(self.wrong(name, value, "is out of range")),
                }
            }
            (Takes::Word { of, words }, Lit::Str(text)) => {
                match words.iter().find(|(word, _)| *word == text.value()) {
                    Some((_, variant)) => Ok(Value::Variant { of, variant }),
                    None => Err(self.wrong(name, value, "is not known")),
                }
            }
            (Takes::ThreadName, Lit::Str(text)) => match text.value().contains('\0') {
                false => Ok(Value::Literal(value.clone())),
                true => Err(self.wrong(name, value, "has a NUL inside")),
            },
            (Takes::CratePath, Lit::Str(text)) => match text.parse_with(Path::parse_mod_style) {
                Ok(path) => Ok(Value::CratePath(path)),
                Err(_) => Err(self.wrong(name, value, "is not a path")),
            },
            _ => Err(self.wrong(name, value, "has the wrong type")),
        }
    }

    /// Checks a value that is not a literal: `crate` takes one, as `$crate` cannot stand in quotes.
    pub(crate) fn check_tokens(&self, name: &Ident, value: &TokenStream) -> Result<Value, Error> {
        match self.takes {
            Takes::CratePath => match Path::parse_mod_style.parse2(value.clone()) {
                Ok(path) => Ok(Value::CratePath(path)),
                Err(_) => Err(self.wrong(name, value, "is not a path")),
            },
            Takes::Count { .. } | Takes::Word { .. } | Takes::ThreadName => {
                Err(self.wrong(name, value, "is not a plain value (a computed one needs `Pool::builder()`)"))
            }
        }
    }

    /// The error at `value`: what is wrong with it, and what it takes instead.
    fn wrong(&self, name: &Ident, value: impl ToTokens, what: &str) -> Error {
        let tokens = value.into_token_stream();
        let message = format!("`{name} = {tokens}` {what}: {}", self.way_out());
        Error::new_spanned(tokens, message)
    }

    fn way_out(&self) -> String {
        let example = self.example;
        match &self.takes {
            Takes::Count { most: u64::MAX } => format!("write a whole number, at least 1, as in `{example}`"),
            Takes::Count { most } => format!("write a whole number from 1 to {most}, as in `{example}`"),
            Takes::Word { words, .. } => {
                let words: Vec<_> = words.iter().map(|(word, _)| format!("`\"{word}\"`")).collect();
                format!("write one of {}", words.join(", "))
            }
            Takes::ThreadName => format!("write a text without NUL, as in `{example}`"),
            Takes::CratePath => format!("write the name millpond has in this crate, as in `{example}`"),
        }
    }
}

impl Value {
    pub(crate) fn tokens(&self, crate_path: &Path) -> TokenStream {
        match self {
            Value::Literal(literal) => literal.to_token_stream(),
            Value::Variant { of, variant } => {
                let word = |word: &str| Ident::new(word, Span::call_site());
                let (of, variant) = (word(of), word(variant));
                quote!(#crate_path::#of::#variant)
            }
            Value::CratePath(path) => path.to_token_stream(),
        }
    }
}
