// The server sends safe HTML already. It is rebuilt here node by node from a list of what may
// stand in a message, so that a fault on one side alone opens nothing.

const PLAIN = new Set([
  "P", "BR", "STRONG", "EM", "S", "CODE", "PRE", "BLOCKQUOTE", "UL", "OL", "LI", "HR",
  "H1", "H2", "H3", "H4", "H5", "H6", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD",
]);
const LINK = /^(https?:\/\/|mailto:)/i;

export function safeFragment(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const fragment = document.createDocumentFragment();
  copyChildren(parsed.body, fragment);
  return fragment;
}

function copyChildren(from, to) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) {
      to.append(node.data);
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      copyElement(node, to);
    }
  }
}

function copyElement(node, to) {
  if (node.tagName === "A") {
    const href = node.getAttribute("href") ?? "";
    if (!LINK.test(href)) {
      copyChildren(node, to);
      return;
    }
    const link = document.createElement("a");
    link.href = href;
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
    copyChildren(node, link);
    to.append(link);
  } else if (PLAIN.has(node.tagName)) {
    const copy = document.createElement(node.tagName);
    const start = node.tagName === "OL" ? Number.parseInt(node.getAttribute("start"), 10) : NaN;
    if (Number.isSafeInteger(start)) copy.start = start;
    copyChildren(node, copy);
    to.append(copy);
  } // anything else is dropped with all it holds
}
