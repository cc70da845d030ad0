/** Live events from the server: one WebSocket, opened again when it drops; state is to be read again on reconnect. */
export interface PushMessage {
  topic: string;
  kind: string;
  [key: string]: unknown;
}

export function listen(topics: string[], heard: (message: PushMessage) => void, reconnected?: () => void): () => void {
  let socket: WebSocket | null = null;
  let closed = false;
  let tries = 0;
  let opened = false;
  const open = (): void => {
    if (closed) return;
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/push/`);
    socket.onopen = () => {
      tries = 0;
      socket?.send(JSON.stringify({ subscribe: topics }));
      if (opened) reconnected?.();
      opened = true;
    };
    socket.onmessage = (event) => {
      try {
        heard(JSON.parse(String(event.data)) as PushMessage);
      } catch {
        // A frame that is not ours.
      }
    };
    socket.onclose = () => {
      if (!closed) setTimeout(open, Math.min(15000, 500 * 2 ** tries++));
    };
  };
  open();
  return () => {
    closed = true;
    socket?.close();
  };
}
