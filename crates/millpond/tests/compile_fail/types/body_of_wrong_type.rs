// The body's own mistakes are shown where they are, as in a function without the attribute.
#[millpond::main]
async fn falls_off_the_end() -> u32 {
    println!("no number");
}

#[millpond::main]
async fn returns_early() -> Result<u32, std::num::ParseIntError> {
    if std::env::args().count() == 0 {
        return Ok("three");
    }
    Ok(3)
}

#[millpond::main]
async fn question_mark() -> Result<(), std::num::ParseIntError> {
    let _file = std::fs::File::open("hello.txt")?;
    Ok(())
}

#[millpond::main]
async fn main() {
    let number: u32 = "three";
}
