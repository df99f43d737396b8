//! One colour a contender, the same in all plots.

use plotters::style::RGBColor;

use crate::standing::Kind;

pub(super) const PAPER: RGBColor = RGBColor(255, 255, 255);
pub(super) const INK: RGBColor = RGBColor(40, 40, 40);
pub(super) const FAINT_INK: RGBColor = RGBColor(110, 110, 110);
pub(super) const GRID: RGBColor = RGBColor(226, 226, 226);

/// Crimson is millpond's alone; settings of the same crate are shades of one hue.
const NAMED: [(&str, RGBColor); 32] = [
    ("millpond", RGBColor(200, 16, 64)),
    ("millpond-channel", RGBColor(200, 16, 64)),
    ("millpond-join", RGBColor(232, 96, 128)),
    ("millpond-recv", RGBColor(232, 96, 128)),
    ("millpond-nested", RGBColor(240, 150, 165)),
    ("millpond-round-robin", RGBColor(232, 96, 128)),
    ("millpond-reuse-port", RGBColor(240, 150, 165)),
    ("tokio", RGBColor(31, 100, 180)),
    ("tokio-nested", RGBColor(96, 160, 215)),
    ("tokio+hyper", RGBColor(96, 160, 215)),
    ("tokio-localpool", RGBColor(150, 195, 232)),
    ("tokio-localset", RGBColor(31, 100, 180)),
    ("compio-dispatcher", RGBColor(240, 125, 15)),
    ("compio", RGBColor(240, 125, 15)),
    ("flume+monoio", RGBColor(40, 140, 60)),
    ("monoio", RGBColor(40, 140, 60)),
    ("flume", RGBColor(40, 140, 60)),
    ("flume-drain", RGBColor(125, 195, 105)),
    ("kanal", RGBColor(125, 80, 175)),
    ("kanal-drain", RGBColor(180, 150, 215)),
    ("crossfire", RGBColor(140, 86, 75)),
    ("async-channel", RGBColor(20, 170, 190)),
    ("rayon", RGBColor(150, 145, 20)),
    ("async-task", RGBColor(215, 110, 195)),
    ("std-threads", RGBColor(25, 25, 112)),
    ("std+flume", RGBColor(95, 95, 165)),
    ("std-channel", RGBColor(25, 25, 112)),
    ("flume+glommio", RGBColor(0, 105, 95)),
    ("glommio", RGBColor(0, 105, 95)),
    ("floor", RGBColor(90, 90, 90)),
    ("floor-same-cpu", RGBColor(140, 140, 140)),
    ("floor-two-cpus", RGBColor(185, 185, 185)),
];

/// For contenders that came later.
const OTHERS: [RGBColor; 6] = [
    RGBColor(205, 155, 40),
    RGBColor(70, 110, 110),
    RGBColor(110, 60, 20),
    RGBColor(90, 90, 200),
    RGBColor(0, 150, 110),
    RGBColor(150, 40, 140),
];

/// What the machine allows steps back behind what people can choose.
const LIMITS: [RGBColor; 3] = [RGBColor(150, 150, 150), RGBColor(185, 185, 185), RGBColor(120, 120, 120)];

const MILLPOND: RGBColor = RGBColor(170, 50, 90);

pub(super) fn colour(contender: &str) -> RGBColor {
    if let Some((_, colour)) = NAMED.iter().find(|(name, _)| *name == contender) {
        return *colour;
    }
    match Kind::of(contender) {
        Kind::Millpond => MILLPOND,
        Kind::Limit => LIMITS[hash(contender) % LIMITS.len()],
        Kind::Rival => OTHERS[hash(contender) % OTHERS.len()],
    }
}

/// The same in every build, unlike std's: colours must not change with the compiler. FNV-1a.
fn hash(name: &str) -> usize {
    let mixed =
        name.bytes().fold(0x811c_9dc5u32, |mixed, byte| (mixed ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    mixed as usize
}
