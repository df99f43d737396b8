//! One bar a contender, from left to right, with its spread.

use super::palette::{FAINT_INK, GRID, INK, colour};
use super::sheet::{self, Align, HEAD, MARGIN, TEXT_PX, Title, WIDTH};
use crate::standing::Kind;

const ROW: i32 = 24;
const BAR: i32 = 15;

/// Room for the longest name, and for the words behind the longest bar.
const NAMES: i32 = 170;
const WORDS: i32 = 110;

const LEFT: i32 = MARGIN + NAMES;
const RIGHT: i32 = WIDTH - MARGIN - WORDS;

/// A limit may reach so far beyond the longest of the others; one that is longer is cut, or it would flatten them.
const LIMIT_REACH: f64 = 1.25;

/// Bars, in the order in which they are drawn.
#[derive(Debug)]
pub(super) struct Bars {
    pub(super) title: Title,
    pub(super) bars: Vec<Bar>,
    /// A value to compare with, and its name.
    pub(super) mark: Option<(f64, &'static str)>,
}

#[derive(Debug)]
pub(super) struct Bar {
    pub(super) contender: String,
    /// None if it failed.
    pub(super) length: Option<Length>,
    /// Behind the bar.
    pub(super) words: String,
}

/// A value, with the lowest and the highest of the runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Length {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Bars {
    pub(super) fn draw(&self) -> Result<String, String> {
        let bottom = HEAD + self.bars.len() as i32 * ROW;
        let foot = if self.mark.is_some() { ROW } else { 0 };
        let scale = f64::from(RIGHT - LEFT) / self.longest();
        let x = |value: f64| LEFT + (value * scale).round().min(f64::from(RIGHT - LEFT)) as i32;
        sheet::draw(&self.title, bottom + foot + MARGIN, |area| {
            for (index, bar) in self.bars.iter().enumerate() {
                let middle = HEAD + index as i32 * ROW + ROW / 2;
                let ink = if bar.is_limit() { FAINT_INK } else { INK };
                let style = sheet::font(TEXT_PX, ink);
                sheet::text(area, &bar.contender, (LEFT - 10, middle), Align::Right, &style)?;
                let mut end = LEFT;
                if let Some(length) = bar.length {
                    end = x(length.value.max(length.high));
                    let corners = ((LEFT, middle - BAR / 2), (x(length.value), middle + BAR / 2));
                    sheet::rectangle(area, corners.0, corners.1, colour(&bar.contender))?;
                    sheet::line(area, &[(x(length.low), middle), (x(length.high), middle)], INK, 1)?;
                }
                let words = if self.is_cut(bar) { format!("» {}", bar.words) } else { bar.words.clone() };
                sheet::text(area, &words, (end + 8, middle), Align::Left, &style)?;
            }
            sheet::line(area, &[(LEFT, HEAD), (LEFT, bottom)], GRID, 1)?;
            if let Some((value, name)) = self.mark {
                sheet::line(area, &[(x(value), HEAD), (x(value), bottom)], FAINT_INK, 1)?;
                let style = sheet::font(TEXT_PX, FAINT_INK);
                sheet::text(area, name, (x(value), bottom + ROW / 2), Align::Middle, &style)?;
            }
            Ok(())
        })
    }

    /// The value at the right edge.
    fn longest(&self) -> f64 {
        let mark = self.mark.map_or(0.0, |(value, _)| value);
        let most = |limits: bool| {
            let bars = self.bars.iter().filter(|bar| bar.is_limit() == limits);
            let high = bars.filter_map(|bar| bar.length).map(|length| length.high.max(length.value));
            high.fold(0.0, f64::max)
        };
        let others = most(false).max(mark);
        let longest =
            if others > 0.0 { others.max(most(true).min(others * LIMIT_REACH)) } else { most(true) };
        if longest > 0.0 { longest } else { 1.0 }
    }

    fn is_cut(&self, bar: &Bar) -> bool {
        bar.length.is_some_and(|length| length.value > self.longest())
    }
}

impl Bar {
    fn is_limit(&self) -> bool {
        Kind::of(&self.contender) == Kind::Limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(contender: &str, value: f64) -> Bar {
        let length = Length { value, low: value, high: value };
        Bar { contender: contender.to_owned(), length: Some(length), words: String::new() }
    }

    fn bars(bars: Vec<Bar>) -> Bars {
        Bars { title: Title { text: String::new(), below: String::new() }, bars, mark: None }
    }

    #[test]
    fn a_limit_far_ahead_is_cut_and_does_not_flatten_the_others() {
        let bars = bars(vec![bar("limit-malloc", 100.0), bar("limit-nop", 11.0), bar("tokio", 10.0)]);
        assert_eq!(bars.longest(), 12.5);
        assert!(bars.is_cut(&bars.bars[0]));
        assert!(!bars.is_cut(&bars.bars[1]));
    }

    #[test]
    fn nothing_but_failures_can_be_drawn() {
        let failed = Bar { contender: "tokio".to_owned(), length: None, words: "failed".to_owned() };
        let svg = bars(vec![failed]).draw().expect("it can be drawn");
        assert!(svg.contains("failed"));
    }
}
