"""vLLM on a free port: prints its URL when it is ready, and runs until its standard input ends.

usage: vllm.py FOLDER [port=P] [slots=N] [context=TOKENS]
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

options = dict(option.split("=", 1) for option in sys.argv[2:])
port = options.get("port")
if port is None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
env = os.environ | {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    # the built-in model was trained for fewer
    "VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1",
}
command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server"]
command += ["--model", sys.argv[1], "--served-model-name", "atoma-tiny", "--dtype", "float32"]
command += ["--max-model-len", options.get("context", "1024"), "--max-num-seqs", options.get("slots", "8")]
command += ["--enforce-eager", "--enable-prompt-tokens-details", "--max-logprobs", "20"]
# a small model writes white space without end where it may
command += ["--structured-outputs-config", '{"backend": "xgrammar", "disable_any_whitespace": true}']
command += ["--host", "127.0.0.1", "--port", port]
server = subprocess.Popen(command, env=env, stdout=sys.stderr)
url = f"http://127.0.0.1:{port}"
while True:
    if server.poll() is not None:
        sys.exit("vLLM ended before it was ready")
    try:
        urllib.request.urlopen(f"{url}/health", timeout=2)
        break
    except OSError:
        time.sleep(0.2)
print(url, flush=True)
sys.stdin.read()
# its workers end with it, not with a kill
server.send_signal(signal.SIGTERM)
server.wait()
