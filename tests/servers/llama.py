"""llama.cpp's own HTTP server on a free port: prints its URL, and runs until its standard input ends.

usage: llama.py MODEL.gguf [port=P] [slots=N] [context=TOKENS] [embeddings=1] [alias=NAME]
"""

import os
import sys

import xllamacpp

options = dict(option.split("=", 1) for option in sys.argv[2:])
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.model_alias = {options.get("alias", "atoma-tiny")}
params.hostnames = ["127.0.0.1"]
params.port = int(options.get("port", 0))
params.endpoint_metrics = True
params.n_parallel = int(options.get("slots", 2))
# of all slots together
params.n_ctx = int(options.get("context", 1024)) * params.n_parallel
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
if "embeddings" in options:
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
os._exit(0)
