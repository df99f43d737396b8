//! The page, in a headless Chromium, with real pools behind it.

#[path = "../../../millpond/tests/common/mod.rs"]
mod common;

#[path = "../shared/tools.rs"]
mod tools;

mod assistive;
mod browser;
mod connection;
mod contrast;
mod figures;
mod layout;
mod load;
mod screenshot;
mod webdriver;
