"""Serves this folder's model: python serve.py [--host H] [--port 8987].

Needs onnxruntime, pillow and numpy alone.

GET /upload is a page to drop pictures on; POST /upload with `images=` files answers JSON:
{"predicted_label": "…", "scores": [["…", "0.840"], …]}, or a list of those for several files.
"""

import argparse
import json
import sys
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import numpy as np
import onnxruntime as ort
from pixels import PixelSpec, UnreadableImage, to_pixels  # type: ignore[import-not-found]

HERE = Path(__file__).resolve().parent
TOP, MAX_PICTURES, MAX_FILE_BYTES = 5, 32, 10 * 1024**2
MAX_BODY_BYTES = MAX_PICTURES * MAX_FILE_BYTES
WORDS = {
    "en": {
        "title": "Try the model",
        "help": "Drop up to 32 pictures on the button, or choose them; 10 MB each.",
        "send": "Name them",
        "no-picture": "There is no picture: send one or more files in the field “images”.",
        "too-many": "Send at most 32 pictures of 10 MB each.",
        "length": "The request must say its length.",
        "not-found": "There is nothing here; go to /upload.",
    },
    "zh": {
        "title": "试用模型",
        "help": "把最多 32 张图片拖到按钮上，或点击选择；每张不超过 10 MB。",
        "send": "识别",
        "no-picture": "没有图片：请在字段“images”中提交一个或多个文件。",
        "too-many": "最多提交 32 张图片，每张不超过 10 MB。",
        "length": "请求必须给出长度。",
        "not-found": "这里没有内容，请前往 /upload。",
    },
}
PAGE = """<!doctype html>
<html lang="{lang}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }}
  html {{ color-scheme: light dark }}
  input {{ display: block; padding: 2rem; border: 1px dashed; width: 100%; box-sizing: border-box }}
  button {{ margin: 1rem 0; padding: .5rem 1rem; font: inherit }}
</style>
<h1>{title}</h1><p>{help}</p>
<form method="post" action="/upload" enctype="multipart/form-data">
  <input type="file" name="images" multiple required accept="image/*" aria-label="{title}">
  <button>{send}</button>
</form></html>
"""


class Model:
    """The model file, loaded once; may be asked by several threads."""

    def __init__(self, path: Path = HERE / "model.onnx") -> None:
        options = ort.SessionOptions()
        options.log_severity_level = 3
        self.session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        metadata = self.session.get_modelmeta().custom_metadata_map
        self.labels: list[str] = json.loads(metadata["labels"])
        self.spec = PixelSpec.from_json(metadata["pixel_spec"])

    def scores_of(self, picture: bytes) -> np.ndarray:
        """An encoded picture to probabilities, float32 [labels]; raises UnreadableImage."""
        pixels = to_pixels(picture, self.spec, max_bytes=MAX_FILE_BYTES)
        (rows,) = self.session.run(["scores"], {"images": pixels[None]})
        return np.asarray(rows[0], dtype=np.float32)

    def answer(self, picture: bytes, top: int = TOP) -> dict[str, Any]:
        """The answer for one picture: highest first, ties in label order, three decimals."""
        scores = self.scores_of(picture)
        order = np.argsort(-scores.astype(np.float64), kind="stable")
        pairs = [[self.labels[at], format(float(scores[at]), ".3f")] for at in order[:top]]
        return {"predicted_label": self.labels[order[0]], "scores": pairs}


class Problem(Exception):
    """Something the caller did wrong."""

    def __init__(self, status: int, word: str, text: str = "") -> None:
        super().__init__(word)
        self.status, self.word, self.text = status, word, text


class Handler(BaseHTTPRequestHandler):
    """GET and POST /upload."""

    model: Model
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        """The page."""
        path = urlparse(self.path).path
        if path == "/":
            self.send_response(302)
            self.send_header("Location", "/upload")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path == "/upload":
            lang, words = self.language()
            self.say(200, "text/html", PAGE.format(lang=lang, **words))
        else:
            self.complain(Problem(404, "not-found"))

    def do_POST(self) -> None:
        """The answer."""
        try:
            if urlparse(self.path).path != "/upload":
                raise Problem(404, "not-found")
            pictures = self.pictures()
            found = [self.model.answer(picture, self.top()) for picture in pictures]
        except UnreadableImage as error:
            self.complain(Problem(413 if error.code.startswith("too-many") else 400, error.code, str(error)))
        except Problem as problem:
            self.complain(problem)
        else:
            self.say_json(200, found[0] if len(found) == 1 else found)

    def top(self) -> int:
        """How many scores are wanted."""
        asked = parse_qs(urlparse(self.path).query).get("top", [str(TOP)])[0]
        return max(1, int(asked)) if asked.isdigit() else TOP

    def pictures(self) -> list[bytes]:
        """The files named `images`, or the body itself where it is a picture."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self.close_connection = True
            raise Problem(411, "length")
        if int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            raise Problem(413, "too-many")
        body, kind = self.rfile.read(int(length)), self.headers.get("Content-Type", "")
        if kind.startswith("image/") and body:
            return [body]
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        message = BytesParser(EmailMessage, policy=HTTP).parsebytes(head + body)
        parts = [
            part.get_payload(decode=True)
            for part in (message.iter_parts() if message.is_multipart() else [])
            if part.get_param("name", header="content-disposition") == "images"
        ]
        if not any(parts):
            raise Problem(400, "no-picture")
        if len(parts) > MAX_PICTURES:
            raise Problem(413, "too-many")
        return [bytes(part) for part in parts]

    def language(self) -> tuple[str, dict[str, str]]:
        """Chinese for those who ask for it, English for all others."""
        lang = "zh" if self.headers.get("Accept-Language", "").lower().startswith("zh") else "en"
        return lang, WORDS[lang]

    def complain(self, problem: Problem) -> None:
        """An error as JSON with a code and a sentence."""
        text = problem.text or self.language()[1].get(problem.word, problem.word)
        self.say_json(problem.status, {"code": problem.word, "detail": text})

    def say_json(self, status: int, answer: object) -> None:
        """Send an answer for programs."""
        self.say(status, "application/json", json.dumps(answer, ensure_ascii=False))

    def say(self, status: int, kind: str, text: str) -> None:
        """Send an answer."""
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until Ctrl-C."""
    arguments = argparse.ArgumentParser(description="Serves the model in this folder.")
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=8987)
    chosen = arguments.parse_args()
    Handler.model = Model()
    server = ThreadingHTTPServer((chosen.host, chosen.port), Handler)
    print(f"http://{chosen.host}:{server.server_port}/upload (Ctrl-C ends it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
