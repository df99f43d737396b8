// A handle on what is not `Send` stays on its thread.
use std::rc::Rc;

fn cross(handle: millpond::JoinHandle<Rc<u32>>) {
    std::thread::spawn(move || drop(handle));
}

fn main() {
    let _ = cross;
}
