//! The real `nats-server`, started on a free loopback port in a folder of its own, and the CPU time that it takes.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, io, process, thread};

/// A server that is not there after so long does not come.
const START_LIMIT: Duration = Duration::from_secs(10);

/// The kernel counts CPU time in hundredths of a second, on all machines that Linux runs on today.
const TICKS_PER_S: f64 = 100.0;

/// Servers that run: one, or a cluster. Dropping it ends the processes and removes their folder.
#[derive(Debug)]
pub(crate) struct Servers {
    processes: Vec<Child>,
    folder: PathBuf,
    /// Of the first.
    pub(crate) address: SocketAddr,
}

impl Servers {
    pub(crate) fn start(count: usize) -> Result<Self, String> {
        let ports = free_ports(2 * count).map_err(|error| format!("no free port on loopback: {error}"))?;
        let (clients, routes) = ports.split_at(count);
        let folder = env::temp_dir().join(format!("millpond-fleet-{}", process::id()));
        let address = SocketAddr::from(([127, 0, 0, 1], clients[0]));
        let mut servers = Servers { processes: Vec::new(), folder, address };
        for (index, (client, route)) in clients.iter().zip(routes).enumerate() {
            let mut command = servers.command(index, *client);
            if count > 1 {
                let peers = routes.iter().map(|port| format!("nats://127.0.0.1:{port}"));
                command.args(["--cluster_name", "fleet", "--cluster", &format!("nats://127.0.0.1:{route}")]);
                command.args(["--routes", &peers.collect::<Vec<_>>().join(",")]);
            }
            let started = command.spawn();
            servers.processes.push(started.map_err(|error| {
                format!("{command:?} cannot be started: {error}; NATS_SERVER names another program")
            })?);
        }
        servers.is_up()?;
        Ok(servers)
    }

    fn command(&self, index: usize, port: u16) -> Command {
        let mut command = Command::new(env::var_os("NATS_SERVER").unwrap_or("nats-server".into()));
        command.args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-n", &format!("n{index}"), "-sd"]);
        command.arg(self.folder.join(index.to_string())).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn is_up(&self) -> Result<(), String> {
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if begun.elapsed() > START_LIMIT {
                return Err(format!("nats-server takes no connection on {}", self.address));
            }
            // The next look: the limit ends them.
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// What all threads of each have used, in seconds.
    pub(crate) fn cpu_s(&self) -> Result<Vec<f64>, String> {
        self.processes.iter().map(cpu_s).collect()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            // Ends with the process, which was just killed.
            let _ = process.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Ports that were free just now, all different.
fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    let listeners: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<io::Result<_>>()?;
    listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

fn cpu_s(process: &Child) -> Result<f64, String> {
    let path = format!("/proc/{}/stat", process.id());
    let stat = fs::read_to_string(&path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    let ticks = stat.rsplit_once(") ").map(|(_, fields)| fields).and_then(|fields| {
        // User and system time are the 14th and 15th field; the state, behind the name, is the third.
        let mut times = fields.split(' ').skip(11).map(str::parse::<u64>);
        Some(times.next()?.ok()? + times.next()?.ok()?)
    });
    Ok(ticks.ok_or_else(|| format!("{path} is not what it should be"))? as f64 / TICKS_PER_S)
}
