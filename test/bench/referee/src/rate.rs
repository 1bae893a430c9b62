//! The clock of an open loop: it decides when a call is due, whether or not earlier ones have been answered, so that a server that
//! stalls cannot slow down what measures it (coordinated omission).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};
use tokio::sync::Mutex;

/// Shorter sleeps would be spinning on a core that the load generator and the server behind the gateway may have to share with it; what
/// has become due meanwhile is handed out at once, with its own moment.
const SHORTEST_SLEEP: Duration = Duration::from_micros(80);
/// How soon the thread sees that it has been ended.
const LONGEST_SLEEP: Duration = Duration::from_millis(50);

/// Moments that are evenly spaced, from a thread of its own: tokio's timers are good to a millisecond only.
pub struct Clock {
    /// Grows while the target is slower than the rate, by sixteen bytes a call, until the run ends.
    moments: Mutex<UnboundedReceiver<Instant>>,
    ended: Arc<AtomicBool>,
}

impl Clock {
    /// `rate` is in calls per second.
    pub fn start(rate: f64) -> Self {
        let (sender, receiver) = unbounded_channel();
        let ended = Arc::new(AtomicBool::new(false));
        let flag = ended.clone();
        thread::spawn(move || tick(rate, &sender, &flag));
        Clock {
            moments: Mutex::new(receiver),
            ended,
        }
    }

    /// Waits for the next moment and takes it from everybody else; `None` when the clock has ended.
    pub async fn next(&self) -> Option<Instant> {
        self.moments.lock().await.recv().await
    }

    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

fn tick(rate: f64, sender: &UnboundedSender<Instant>, ended: &AtomicBool) {
    exact_sleeps();
    let start = Instant::now();
    let mut count = 0u64;
    let mut due = start;
    while !ended.load(Ordering::Relaxed) {
        while due <= Instant::now() {
            if sender.send(due).is_err() {
                return;
            }
            count += 1;
            due = start + Duration::from_secs_f64(count as f64 / rate);
        }
        let left = due.saturating_duration_since(Instant::now());
        thread::sleep(left.clamp(SHORTEST_SLEEP, LONGEST_SLEEP));
    }
}

/// Linux lets a thread's sleeps end up to 50 µs late to save wake-ups; this thread's should not (prctl(2)).
fn exact_sleeps() {
    const PR_SET_TIMERSLACK: i32 = 29;
    extern "C" {
        fn prctl(option: i32, nanoseconds: u64, unused3: u64, unused4: u64, unused5: u64) -> i32;
    }
    // SAFETY: the option takes a number, touches no memory, and concerns the calling thread only.
    unsafe { prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0) };
}
