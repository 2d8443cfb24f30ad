"""A Quorate client in Python: what a replica claims, and the first bytes of its file.

    protoc -I proto --python_out=OUT --grpc_out=OUT \
        --plugin=protoc-gen-grpc=$(which grpc_python_plugin) proto/quorate/v1/replica.proto
    PYTHONPATH=OUT python3 examples/get_range.py 127.0.0.1:10001
"""
import hashlib
import sys

import grpc
from quorate.v1 import replica_pb2, replica_pb2_grpc

with grpc.insecure_channel(sys.argv[1]) as channel:
    replica = replica_pb2_grpc.ReplicaServiceStub(channel)
    claim = replica.GetChecksum(replica_pb2.GetChecksumRequest(), timeout=5)
    digest = hashlib.sha256()
    for chunk in replica.ReadRange(replica_pb2.ReadRangeRequest(if_digest=claim.digest), timeout=60):
        digest.update(chunk.data)
    print(claim.name, claim.size, "right" if claim.digest == "sha256:" + digest.hexdigest() else "wrong")
