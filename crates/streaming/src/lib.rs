//! What exec, attach and port-forward speak once a connection was upgraded, for a gate that ends both legs.
//!
//! ```text
//!  protocol   which of them: WebSocket or SPDY, and what is spoken over it
//!  channel    exec, attach over WebSocket: messages of v4 and v5.channel.k8s.io
//!  spdy       exec, attach, port-forward: streams of SPDY/3.1 over a connection, or over the messages of a WebSocket
//!  kind       what a SPDY stream is for, as its headers say
//!  resize     the size of a terminal
//!  exit       how a command ended
//!  remote_command  exec and attach from both ends, whatever carries them
//!  port_forward    port-forward from both ends
//! ```
//!
//! Everything here was read in Kubernetes 1.37 (`k8s.io/client-go/tools/{remotecommand,portforward}`,
//! `k8s.io/cri-streaming`, `k8s.io/streaming/pkg/httpstream`, `k8s.io/apiserver/pkg/util/proxy`) and in `moby/spdystream`
//! 0.5.1, and `tests/kubernetes.rs` replays what these said to each other.
//!
//! Pure: no sockets, no clock, no randomness. Bytes come in as they come, in any pieces; what goes out is taken from here.
//! Nothing is kept that has no limit, and `Debug` shows no content.

pub mod channel;
mod endpoint;
pub mod exit;
pub mod kind;
pub mod port_forward;
pub mod protocol;
pub mod remote_command;
pub mod resize;
pub mod spdy;
mod text;

pub use endpoint::Endpoint;
