//! Places that are named by a number, and never mistaken for what was there before.

/// A place and its generation. An answer that comes after its message has ended finds another generation there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token(pub(super) u64);

#[derive(Debug)]
pub(super) struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot<T> {
    /// Goes up each time that the place is left.
    generation: u32,
    value: Option<T>,
}

impl Token {
    fn new(index: u32, generation: u32) -> Token {
        Token(u64::from(generation) << 32 | u64::from(index))
    }

    fn index(self) -> u32 {
        self.0 as u32
    }

    fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl<T> Slots<T> {
    pub(super) const fn new() -> Slots<T> {
        Slots { slots: Vec::new(), free: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(super) fn insert(&mut self, value: T) -> Token {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, value: None });
            u32::try_from(self.slots.len() - 1).expect("the builder keeps max_in_flight far below")
        });
        let slot = &mut self.slots[index as usize];
        slot.value = Some(value);
        Token::new(index, slot.generation)
    }

    pub(super) fn get_mut(&mut self, token: Token) -> Option<&mut T> {
        self.slot(token)?.value.as_mut()
    }

    pub(super) fn remove(&mut self, token: Token) -> Option<T> {
        let slot = self.slot(token)?;
        let value = slot.value.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(token.index());
        Some(value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Token, &T)> {
        self.slots.iter().zip(0..).filter_map(|(slot, index)| {
            slot.value.as_ref().map(|value| (Token::new(index, slot.generation), value))
        })
    }

    fn slot(&mut self, token: Token) -> Option<&mut Slot<T>> {
        self.slots.get_mut(token.index() as usize).filter(|slot| slot.generation == token.generation())
    }
}

#[cfg(test)]
mod tests {
    use super::{Slots, Token};

    #[test]
    fn a_token_never_finds_what_came_after() {
        let mut slots = Slots::new();
        let first = slots.insert('a');
        assert_eq!(slots.remove(first), Some('a'));
        let second = slots.insert('b');
        assert_ne!(first, second);
        assert_eq!(slots.get_mut(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get_mut(second), Some(&mut 'b'));
        assert_eq!(slots.len(), 1);
    }

    #[test]
    fn a_token_that_was_never_given_finds_nothing() {
        let mut slots = Slots::new();
        slots.insert('a');
        for token in [Token(1), Token(1 << 32), Token(u64::MAX)] {
            assert_eq!(slots.remove(token), None);
        }
        assert_eq!(slots.iter().map(|(_, value)| *value).collect::<Vec<_>>(), ['a']);
    }
}
