use std::rc::Rc;

#[millpond::main]
async fn main() {
    let count = Rc::new(3);
    millpond::spawn_blocking(move || *count);
}
