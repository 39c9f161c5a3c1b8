// Pictures before they leave: made small enough, in a format that everyone shows.

const TAKEN = new Set(["image/png", "image/jpeg", "image/webp", "image/gif"]);
const LONGEST_SIDE = 4096;

// A File or Blob that the server takes, or null when the browser cannot read it.
export async function prepared(file, maxBytes) {
  if (TAKEN.has(file.type) && file.size <= maxBytes) return file;
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return null;
  }
  for (const side of [LONGEST_SIDE, 2560, 1600]) {
    const blob = await drawn(bitmap, side);
    if (blob && blob.size <= maxBytes) {
      const name = (file.name ?? "picture").replace(/\.\w+$/, "") + ".jpg";
      return new File([blob], name, { type: blob.type });
    }
  }
  return null;
}

function drawn(bitmap, side) {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff"; // JPEG has no transparency
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.88));
}
