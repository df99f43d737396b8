//! What a scraper's `Accept` asks for (RFC 9110, 12.5.1).

use super::Format;

/// Weights have three digits at most, so thousandths hold them all.
const Q_ONE: u32 = 1000;

/// The format that is named with the greatest weight. OpenMetrics has to be named itself: `*/*` says nothing of it.
pub(super) fn preferred(accept: &str) -> Format {
    let ranges = || accept.split(',').map(Range::parse);
    let weight =
        |is_it: fn(&Range<'_>) -> bool| ranges().filter(is_it).map(|range| range.q).max().unwrap_or(0);
    let openmetrics = weight(|range| range.media == "application/openmetrics-text" && range.is_version_1);
    let text = weight(|range| range.media == "text/plain");
    if openmetrics > 0 && openmetrics >= text { Format::OpenMetrics } else { Format::Text }
}

#[derive(Debug)]
struct Range<'a> {
    media: &'a str,
    q: u32,
    /// Or none is asked for.
    is_version_1: bool,
}

impl Range<'_> {
    fn parse(range: &str) -> Range<'_> {
        let mut parts = range.split(';').map(str::trim);
        let mut parsed = Range { media: parts.next().unwrap_or_default(), q: Q_ONE, is_version_1: true };
        for (key, value) in parts.filter_map(|part| part.split_once('=')) {
            match key.trim().to_ascii_lowercase().as_str() {
                "q" => parsed.q = thousandths(value.trim()),
                "version" => parsed.is_version_1 = value.trim().trim_matches('"').starts_with("1."),
                _ => {}
            }
        }
        parsed
    }
}

/// 0 for what is no weight.
fn thousandths(q: &str) -> u32 {
    q.parse::<f32>().map_or(0, |q| (q.clamp(0.0, 1.0) * Q_ONE as f32) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_gets_what_it_likes_best() {
        let prometheus_2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                            text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                            application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3,*/*;q=0.2";
        for accept in [
            prometheus_2,
            prometheus_3,
            "application/openmetrics-text",
            "text/plain;q=0.1, application/openmetrics-text; Version=\"1.0.0\" ; Q=0.2",
        ] {
            assert_eq!(preferred(accept), Format::OpenMetrics, "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "text/html,*/*;q=0.8",
            "text/plain;version=0.0.4",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=x",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;q=0.3,text/plain;q=0.4",
        ] {
            assert_eq!(preferred(accept), Format::Text, "{accept}");
        }
    }
}
