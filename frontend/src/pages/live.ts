/**
 * Live progress on elements with data-topic. Inside such an element, [data-progress] gets the fraction (a <progress>
 * its value, anything else its width), [data-text] the words; when the work has ended the page is read again, but for
 * what stands within [data-parts], which keeps itself fresh.
 */
import { listen, type PushMessage } from "../api/push";

function show(element: HTMLElement, message: PushMessage): void {
  const fraction = Number(message.fraction);
  if (Number.isFinite(fraction)) {
    element.querySelectorAll<HTMLElement>("[data-progress]").forEach((bar) => {
      bar.hidden = false;
      if (bar instanceof HTMLProgressElement) bar.value = fraction * bar.max;
      else bar.style.width = `${Math.round(100 * fraction)}%`;
    });
  }
  const words = message.text ?? message.sentence;
  if (typeof words === "string") {
    element.querySelectorAll<HTMLElement>("[data-text]").forEach((place) => (place.textContent = words));
  }
}

const ENDED = /\.(finished|failed|cancelled|signed|filed|done|deleted|opened|closed)$/;
let reloading = false;

function readAgain(): void {
  // A page that is sending files is not left for news.
  if (reloading || document.querySelector("[data-upload].busy")) return;
  reloading = true;
  setTimeout(() => location.reload(), 400);
}

export function followTopics(): void {
  const elements = [...document.querySelectorAll<HTMLElement>("[data-topic]")];
  if (!elements.length) return;
  const topics = [...new Set(elements.map((element) => element.dataset.topic!))];
  const reading = new Set(elements.filter((one) => !one.closest("[data-parts]")).map((one) => one.dataset.topic!));
  listen(
    topics,
    (message) => {
      elements.filter((element) => element.dataset.topic === message.topic).forEach((element) => show(element, message));
      if (reading.has(message.topic) && ENDED.test(message.kind)) readAgain();
    },
    () => reading.size && readAgain(),
  );
}
