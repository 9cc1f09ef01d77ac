"""An MLLP receiver on python-hl7: parses every message and answers AA.

Prints "port N" once it listens, and "count N" on each SIGUSR1. With a file name as argument it appends every
message as it came, framed, to that file.
"""

import asyncio
import signal
import sys

from hl7.mllp import start_hl7_server

count = 0
keep = open(sys.argv[1], "ab", buffering=0) if len(sys.argv) > 1 else None


async def serve(reader, writer):
    global count
    try:
        while not writer.is_closing():
            message = await reader.readmessage()
            count += 1
            if keep is not None:
                keep.write(b"\x0b" + str(message).encode("utf-8") + b"\x1c\x0d")
            writer.writemessage(message.create_ack("AA"))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await start_hl7_server(serve, host="127.0.0.1", port=0, encoding="utf-8")
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, lambda: print("count", count, flush=True))
    print("port", server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
