"""What `benchmarks.startup` compares onelook with: a script that asks a server one question about one picture."""

import sys
from base64 import b64encode
from pathlib import Path

from langchain_openai import ChatOpenAI

base_url, model, picture = sys.argv[1:]
url = f"data:image/jpeg;base64,{b64encode(Path(picture).read_bytes()).decode()}"
chat = ChatOpenAI(base_url=base_url, api_key="none", model=model, max_completion_tokens=16)
question = {"type": "text", "text": "What does this picture show? Answer with one word."}
reply = chat.invoke([{"role": "user", "content": [question, {"type": "image_url", "image_url": {"url": url}}]}])
print(reply.content)
