//! One line a contender, on axes that may be logarithmic; the names on the right, in the order of the lines' ends.

use plotters::prelude::*;

use super::axis::Axis;
use super::palette::{FAINT_INK, GRID, INK, colour};
use super::sheet::{self, Align, Area, HEAD, MARGIN, TEXT_PX, Title, WIDTH};
use crate::standing::Kind;

const HEIGHT: i32 = 460;
const NAMES: i32 = 170;
const NAME_ROW: i32 = 20;
const SWATCH: i32 = 22;

/// Room for the words at the axes.
const LEFT_WORDS: u32 = 56;
const BOTTOM_WORDS: u32 = 34;

/// Lines, and what they are about.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) title: Title,
    pub(super) across: Axis,
    pub(super) up: Axis,
    pub(super) lines: Vec<Line>,
}

/// The figures of one contender, from left to right.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) contender: String,
    pub(super) points: Vec<(f64, f64)>,
    /// Whether there are too few points because it failed.
    pub(super) failed: bool,
}

impl Lines {
    pub(super) fn draw(&self) -> Result<String, String> {
        let height = HEIGHT.max(HEAD + (self.lines.len() as i32 + 1) * NAME_ROW + MARGIN);
        sheet::draw(&self.title, height, |area| {
            let (chart, _) = area.split_horizontally(WIDTH - NAMES);
            let chart = chart.margin(HEAD, 0, 0, 0);
            self.chart(&chart).map_err(|error| error.to_string())?;
            self.names(area)
        })
    }

    fn chart(&self, area: &Area<'_>) -> Result<(), Box<dyn std::error::Error>> {
        let mut chart = ChartBuilder::on(area)
            .margin(MARGIN)
            .margin_top(0)
            .x_label_area_size(BOTTOM_WORDS + 14)
            .y_label_area_size(LEFT_WORDS + 14)
            .build_cartesian_2d(self.across.clone(), self.up.clone())?;
        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(GRID)
            .axis_style(FAINT_INK)
            .label_style(sheet::font(TEXT_PX - 1.0, INK))
            .axis_desc_style(sheet::font(TEXT_PX, INK))
            .x_desc(&self.across.name)
            .y_desc(&self.up.name)
            .x_label_formatter(&|place| self.across.words(*place))
            .y_label_formatter(&|place| self.up.words(*place))
            .draw()?;
        // millpond's last, so that no other covers it.
        let mut lines: Vec<&Line> = self.lines.iter().collect();
        lines.sort_by_key(|line| match Kind::of(&line.contender) {
            Kind::Limit => 0,
            Kind::Rival => 1,
            Kind::Millpond => 2,
        });
        for line in lines {
            let style = colour(&line.contender).stroke_width(line.width());
            if line.is_limit() {
                chart.draw_series(DashedLineSeries::new(line.points.iter().copied(), 5, 4, style))?;
            } else {
                chart.draw_series(LineSeries::new(line.points.iter().copied(), style))?;
            }
            let points = line.points.iter().map(|point| Circle::new(*point, 3, style.filled()));
            chart.draw_series(points)?;
        }
        Ok(())
    }

    fn names(&self, area: &Area<'_>) -> Result<(), String> {
        let mut lines: Vec<&Line> = self.lines.iter().collect();
        lines.sort_by(|left, right| right.end().total_cmp(&left.end()));
        let left = WIDTH - NAMES;
        for (index, line) in lines.into_iter().enumerate() {
            let middle = HEAD + NAME_ROW / 2 + index as i32 * NAME_ROW;
            if !line.points.is_empty() {
                line.swatch(area, left, middle)?;
            }
            let ink = if line.is_limit() { FAINT_INK } else { INK };
            let name = if line.failed { format!("{} †", line.contender) } else { line.contender.clone() };
            sheet::text(area, &name, (left + SWATCH + 6, middle), Align::Left, &sheet::font(TEXT_PX, ink))?;
        }
        if self.lines.iter().any(|line| line.failed) {
            let middle = HEAD + NAME_ROW / 2 + self.lines.len() as i32 * NAME_ROW;
            let style = sheet::font(TEXT_PX, FAINT_INK);
            sheet::text(area, "† failed", (left + SWATCH + 6, middle), Align::Left, &style)?;
        }
        Ok(())
    }
}

impl Line {
    fn is_limit(&self) -> bool {
        Kind::of(&self.contender) == Kind::Limit
    }

    /// A piece of it, dashed if it is.
    fn swatch(&self, area: &Area<'_>, left: i32, middle: i32) -> Result<(), String> {
        let pieces: &[(i32, i32)] =
            if self.is_limit() { &[(0, 5), (9, 14), (18, SWATCH)] } else { &[(0, SWATCH)] };
        let piece = |&(from, to)| {
            let ends = [(left + from, middle), (left + to, middle)];
            sheet::line(area, &ends, colour(&self.contender), self.width())
        };
        pieces.iter().try_for_each(piece)
    }

    fn width(&self) -> u32 {
        if Kind::of(&self.contender) == Kind::Millpond { 3 } else { 2 }
    }

    fn end(&self) -> f64 {
        self.points.last().map_or(f64::NEG_INFINITY, |(_, up)| *up)
    }
}
