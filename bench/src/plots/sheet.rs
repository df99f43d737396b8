//! A white sheet: text and shapes at pixels. White in dark surroundings too, as the ink is dark.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, TextStyle};

use super::palette::{FAINT_INK, INK, PAPER};

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(super) const WIDTH: i32 = 760;
pub(super) const MARGIN: i32 = 16;

/// Above it the title and what is below the title.
pub(super) const HEAD: i32 = 58;

pub(super) const TEXT_PX: f64 = 13.0;
const TITLE_PX: f64 = 16.0;

/// The backend writes smaller letters than it is asked for, by this.
const FONT_SCALE: f64 = 1.24;

/// What stands above a plot.
#[derive(Debug)]
pub(super) struct Title {
    pub(super) text: String,
    pub(super) below: String,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Align {
    Left,
    Middle,
    Right,
}

/// Has `draw` fill a sheet of this height below its title; returns the SVG.
pub(super) fn draw(
    title: &Title,
    height: i32,
    draw: impl FnOnce(&Area<'_>) -> Result<(), String>,
) -> Result<String, String> {
    let mut svg = String::new();
    {
        let size = (WIDTH as u32, height as u32);
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&PAPER).map_err(|error| error.to_string())?;
        text(&area, &title.text, (MARGIN, 22), Align::Left, &font(TITLE_PX, INK))?;
        text(&area, &title.below, (MARGIN, 42), Align::Left, &font(TEXT_PX, FAINT_INK))?;
        draw(&area)?;
        area.present().map_err(|error| error.to_string())?;
    }
    Ok(svg)
}

pub(super) fn font(px: f64, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", px * FONT_SCALE).into_font().transform(FontTransform::None).color(&colour)
}

/// Writes at `at`, which is the middle of its height.
pub(super) fn text(
    area: &Area<'_>,
    words: &str,
    at: (i32, i32),
    align: Align,
    style: &TextStyle<'_>,
) -> Result<(), String> {
    let across = match align {
        Align::Left => HPos::Left,
        Align::Middle => HPos::Center,
        Align::Right => HPos::Right,
    };
    let style = style.pos(Pos::new(across, VPos::Center));
    area.draw(&Text::new(words.to_owned(), at, style)).map_err(|error| error.to_string())
}

pub(super) fn rectangle(
    area: &Area<'_>,
    from: (i32, i32),
    to: (i32, i32),
    colour: RGBColor,
) -> Result<(), String> {
    area.draw(&Rectangle::new([from, to], colour.filled())).map_err(|error| error.to_string())
}

pub(super) fn line(
    area: &Area<'_>,
    points: &[(i32, i32)],
    colour: RGBColor,
    width: u32,
) -> Result<(), String> {
    area.draw(&PathElement::new(points.to_vec(), colour.stroke_width(width)))
        .map_err(|error| error.to_string())
}
