//! The two texts: families, their heads, and their samples.

use super::{
    Format,
    families::{FAMILIES, Family, Type},
};
use millpond::metrics::{Histogram, Metrics};
use std::{
    fmt::{self, Write},
    time::Duration,
};

/// The last line of a text in OpenMetrics.
pub const EOF: &str = "# EOF\n";

/// Where the histograms' buckets end, as powers of two of a nanosecond: from a microsecond, below which no wait troubles
/// anybody, to 17 seconds. Finer ones would be more series, and more guessing is what quantiles of Prometheus do anyway.
const BOUNDS_LOG2_NS: std::ops::RangeInclusive<u32> = 10..=34;

/// One pool, with the value of its label if it has one.
pub(super) type Source<'a> = (Option<&'a str>, &'a Metrics);

pub(super) fn encode(sources: &[Source<'_>], format: Format) -> String {
    let mut text = String::new();
    for family in FAMILIES {
        head(&mut text, family, format);
        for (pool, metrics) in sources {
            (family.samples)(&mut Samples { text: &mut text, family, pool: *pool }, metrics);
        }
    }
    if format == Format::OpenMetrics {
        text.push_str(EOF);
    }
    text
}

fn head(text: &mut String, family: &Family, format: Format) {
    // In the classic text a counter's family is called as its samples are.
    let name = match (format, family.r#type) {
        (Format::Text, Type::Counter) => format!("{}_total", family.name),
        _ => family.name.to_owned(),
    };
    let r#type = match family.r#type {
        Type::Counter => "counter",
        Type::Gauge => "gauge",
        Type::Histogram => "histogram",
    };
    line(text, format_args!("# TYPE {name} {type}"));
    if let (Format::OpenMetrics, Some(unit)) = (format, family.unit) {
        line(text, format_args!("# UNIT {name} {unit}"));
    }
    line(text, format_args!("# HELP {name} {}", family.help));
}

fn line(text: &mut String, content: fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{content}");
}

/// Takes the samples of one family and one pool.
pub(super) struct Samples<'a> {
    text: &'a mut String,
    family: &'a Family,
    pool: Option<&'a str>,
}

/// Names and values of labels. No value of ours needs an escape but the pool's name.
pub(super) type Labels<'a> = [(&'a str, &'a dyn fmt::Display)];

impl Samples<'_> {
    pub(super) fn value(&mut self, labels: &Labels<'_>, value: impl fmt::Display) {
        let suffix = if self.family.r#type == Type::Counter { "_total" } else { "" };
        self.sample(suffix, labels, value);
    }

    pub(super) fn seconds(&mut self, labels: &Labels<'_>, value: Duration) {
        self.value(labels, value.as_secs_f64());
    }

    pub(super) fn histogram(&mut self, histogram: &Histogram) {
        let mut buckets = histogram.buckets().peekable();
        let mut count = 0;
        for log2 in BOUNDS_LOG2_NS {
            let bound = Duration::from_nanos(1 << log2);
            while let Some((_, here)) = buckets.next_if(|(upper, _)| *upper <= bound) {
                count += here;
            }
            self.sample("_bucket", &[("le", &bound.as_secs_f64())], count);
        }
        count += buckets.map(|(_, here)| here).sum::<u64>();
        self.sample("_bucket", &[("le", &"+Inf")], count);
        self.sample("_sum", &[], histogram.sum().as_secs_f64());
        self.sample("_count", &[], count);
    }

    fn sample(&mut self, suffix: &str, labels: &Labels<'_>, value: impl fmt::Display) {
        let text = &mut *self.text;
        text.push_str(self.family.name);
        text.push_str(suffix);
        let pool = self.pool.map(Escaped);
        let pool = pool.as_ref().map(|pool| ("pool", pool as &dyn fmt::Display));
        let mut separator = '{';
        for (name, value) in pool.into_iter().chain(labels.iter().copied()) {
            let _ = write!(text, "{separator}{name}=\"{value}\"");
            separator = ',';
        }
        if separator == ',' {
            text.push('}');
        }
        line(text, format_args!(" {value}"));
    }
}

/// The value of a label, as both formats want it.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|char| match char {
            '\\' => f.write_str("\\\\"),
            '"' => f.write_str("\\\""),
            '\n' => f.write_str("\\n"),
            other => f.write_char(other),
        })
    }
}
