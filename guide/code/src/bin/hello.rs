//! The first program: it writes one file.

// ANCHOR: all
#[millpond::main(worker_threads = 3)]
async fn main() -> std::io::Result<()> {
    let wrote = millpond::spawn(|| async {
        // Exactly one worker runs this, with its ring at hand.
        let file = monoio::fs::File::create("hello.txt").await?;
        file.write_all_at(b"world".to_vec(), 0).await.0
    });
    wrote.await.expect("the job ran")?;
    println!("wrote to file!"); // once
    Ok(())
}
// ANCHOR_END: all
