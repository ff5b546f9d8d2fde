//! Monitor (metrics, telemetry, heartbeat, ring buffer): a sensor records without ever waiting,
//! and a ticker reports what has come in.
//!
//! When there is no more room the oldest reading is dropped. Look at the assertions: a report has
//! the newest readings and the number of those that were dropped, and silence is reported, too.
//!
//! ```text
//! cargo run --example monitor
//! ```

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::{sync::Arc, time::Duration};

use hchan::{Receiver, Sender};
use tokio::time::{Instant, interval_at};

const ROOM: usize = 8;
const PERIOD: Duration = Duration::from_secs(1);

struct Sensor {
    readings: Sender<u64>,
    dropped: Arc<AtomicU64>,
}

impl Sensor {
    /// Never waits, so it is fit for a hot path. The oldest reading comes back if it had to go.
    fn record(&self, reading: u64) {
        if let Ok(Some(_oldest)) = self.readings.force_send(reading) {
            self.dropped.fetch_add(1, Relaxed);
        }
    }
}

#[derive(Debug, PartialEq)]
struct Report {
    readings: Vec<u64>,
    dropped: u64,
}

/// Reports at every tick, and a last time when the sensor is gone.
async fn monitor(readings: Receiver<u64>, dropped: Arc<AtomicU64>, reports: Sender<Report>) {
    let mut ticks = interval_at(Instant::now() + PERIOD, PERIOD);
    loop {
        let is_last = readings.closed().until(ticks.tick()).await;
        let report = Report {
            readings: readings.drain().collect(),
            dropped: dropped.swap(0, Relaxed),
        };
        if reports.send(report).await.is_err() || is_last {
            return;
        }
    }
}

// The clock is paused: a timer fires as soon as all tasks wait.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let ((readings, input), (output, reports)) = (hchan::bounded(ROOM), hchan::bounded(1));
    let dropped = Arc::new(AtomicU64::new(0));
    let monitoring = tokio::spawn(monitor(input, dropped.clone(), output));
    let sensor = Sensor { readings, dropped };

    let (start, mut next) = (Instant::now(), 0);
    for (burst, dropped) in [(3, 0), (100, 92), (0, 0), (9, 1)] {
        (next..next + burst).for_each(|reading| sensor.record(reading));
        next += burst;
        let report = reports.recv().await.expect("it reports at every tick");
        println!("{:?}: {report:?}", start.elapsed());
        let readings = (next - burst + dropped..next).collect();
        assert_eq!(report, Report { readings, dropped });
    }
    assert_eq!(start.elapsed(), 4 * PERIOD, "one report a tick");

    sensor.record(next);
    drop(sensor);
    let last = reports.recv().await.expect("it reports a last time");
    assert_eq!(last.readings, [next]);
    monitoring.await.expect("the monitor does not panic");
}
