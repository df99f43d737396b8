//! Classes of jobs, and what there is one of for each class.

use std::ops::Index;

/// How soon a job is to start, beside others that wait: see [`JobOptions::class`](crate::JobOptions::class).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Class {
    /// Somebody waits for it. A job's class if it is not told.
    #[default]
    Interactive,
    /// It may take its time: work that fills what the others leave, and gets a share of its own beside them.
    Bulk,
}

impl Class {
    pub(crate) const ALL: [Class; 2] = [Class::Interactive, Class::Bulk];

    pub(crate) fn other(self) -> Class {
        match self {
            Class::Interactive => Class::Bulk,
            Class::Bulk => Class::Interactive,
        }
    }
}

/// One of each.
#[derive(Debug, Default)]
pub(crate) struct ByClass<T>([T; 2]);

impl<T> ByClass<T> {
    pub(crate) fn new(make: impl Fn() -> T) -> ByClass<T> {
        ByClass(Class::ALL.map(|_| make()))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }
}

impl<T> Index<Class> for ByClass<T> {
    type Output = T;

    fn index(&self, class: Class) -> &T {
        &self.0[class as usize]
    }
}
