//! A limiter in a process of its own: this test program, started again.
//!
//! Parent and child exchange lines of JSON over a loopback connection that the child opens; a child lives until that
//! connection ends or it is killed, and the next delivery starts another.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as Immediate};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::actors::{Told, invoke, limiter};
use crate::confession;

/// Where the parent listens, and where the store is.
pub const PARENT: &str = "RINGFENCE_HISTORIES_PARENT";
const STORE: &str = "RINGFENCE_HISTORIES_STORE";
/// The test that is the child's whole life.
const LIFE: &str = "a_child_answers_until_its_parent_is_done";

#[derive(Serialize, Deserialize)]
struct Asked {
    id: u64,
    event: Value,
    contact_id: String,
    clock_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct Replied {
    id: u64,
    answer: Value,
    admits_failure: bool,
}

type Pending = Arc<Immediate<Option<HashMap<u64, oneshot::Sender<Replied>>>>>;

struct Life {
    process: tokio::process::Child,
    lines: mpsc::UnboundedSender<String>,
    /// Nothing once the connection has ended.
    pending: Pending,
}

pub struct Child {
    endpoint: String,
    life: Mutex<Option<Life>>,
    next: AtomicU64,
}

impl Child {
    pub fn new(endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            life: Mutex::default(),
            next: AtomicU64::new(0),
        }
    }

    pub async fn deliver(&self, event: Value, contact_id: &str, clock_ms: i64) -> Option<Told> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let asked = Asked {
            id,
            event,
            contact_id: contact_id.to_owned(),
            clock_ms,
        };
        let (reply, replied) = oneshot::channel();
        {
            let mut life = self.life.lock().await;
            if life
                .as_ref()
                .is_none_or(|life| life.pending.lock().unwrap().is_none())
            {
                *life = Some(born(&self.endpoint).await);
            }
            let life = life.as_ref()?;
            life.pending.lock().unwrap().as_mut()?.insert(id, reply);
            life.lines
                .send(serde_json::to_string(&asked).unwrap())
                .ok()?;
        }
        let replied: Replied = replied.await.ok()?;
        Some(Told {
            answer: replied.answer,
            admits_failure: replied.admits_failure,
        })
    }

    pub async fn kill(&self) -> bool {
        let Some(mut life) = self.life.lock().await.take() else {
            return false;
        };
        life.process.kill().await.unwrap();
        true
    }
}

async fn born(endpoint: &str) -> Life {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", LIFE, "--nocapture"])
        .env(PARENT, listener.local_addr().unwrap().to_string())
        .env(STORE, endpoint)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let (reading, mut writing) = stream.into_split();
    let (lines, mut to_send) = mpsc::unbounded_channel::<String>();
    let pending: Pending = Arc::new(Immediate::new(Some(HashMap::new())));
    tokio::spawn(async move {
        while let Some(line) = to_send.recv().await {
            if writing
                .write_all(format!("{line}\n").as_bytes())
                .await
                .is_err()
            {
                return;
            }
        }
    });
    let answering = pending.clone();
    tokio::spawn(async move {
        let mut replies = BufReader::new(reading).lines();
        while let Ok(Some(line)) = replies.next_line().await {
            let Ok(replied) = serde_json::from_str::<Replied>(&line) else {
                break;
            };
            let waiting = answering
                .lock()
                .unwrap()
                .as_mut()
                .and_then(|pending| pending.remove(&replied.id));
            if let Some(waiting) = waiting {
                let _ = waiting.send(replied);
            }
        }
        // Whoever still waits learns that nobody will answer.
        answering.lock().unwrap().take();
    });
    Life {
        process,
        lines,
        pending,
    }
}

/// The child's side, if this process is one.
pub async fn live() {
    let (Ok(parent), Ok(store)) = (std::env::var(PARENT), std::env::var(STORE)) else {
        return;
    };
    confession::listen();
    let limiter = Arc::new(limiter(&store));
    let (reading, mut writing) = TcpStream::connect(parent).await.unwrap().into_split();
    let (replies, mut to_send) = mpsc::unbounded_channel::<Replied>();
    tokio::spawn(async move {
        let mut asked = BufReader::new(reading).lines();
        while let Ok(Some(line)) = asked.next_line().await {
            let asked: Asked = serde_json::from_str(&line).unwrap();
            let (limiter, replies) = (limiter.clone(), replies.clone());
            tokio::spawn(async move {
                let told = invoke(&limiter, asked.event, &asked.contact_id, asked.clock_ms).await;
                let _ = replies.send(Replied {
                    id: asked.id,
                    answer: told.answer,
                    admits_failure: told.admits_failure,
                });
            });
        }
    });
    while let Some(replied) = to_send.recv().await {
        let line = serde_json::to_string(&replied).unwrap();
        if writing
            .write_all(format!("{line}\n").as_bytes())
            .await
            .is_err()
        {
            return;
        }
    }
}
