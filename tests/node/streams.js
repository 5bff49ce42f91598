// What the Kubernetes client library for JavaScript does with streams, a line of JSON for each thing done.
//
//     streams.js KUBECONFIG NAMESPACE NAME
//
// There are the pods `web` (ports 80 and 8080), and for whoever asks alone `attach-NAME` and `log-NAME`.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough, Readable, Writable } from 'node:stream';
import { Attach, Exec, KubeConfig, Log, PortForward } from '@kubernetes/client-node';

const [kubeconfig, namespace, name] = process.argv.slice(2);
const config = new KubeConfig();
config.loadFromFile(kubeconfig);

const digest = (data) => `${data.length} bytes, ${createHash('sha256').update(data).digest('hex')}`;

// Short text as it is.
const told = (data) => (data.length < 200 ? data.toString() : digest(data));

// Keeps what is written to it.
class Kept extends Writable {
    pieces = [];

    _write(piece, encoding, done) {
        this.pieces.push(Buffer.from(piece));
        this.emit('piece');
        done();
    }

    get all() {
        return Buffer.concat(this.pieces);
    }

    async until(text) {
        while (!this.all.includes(text)) await once(this, 'piece');
    }
}

// The end of a WebSocket, which may have come already.
const closed = (socket) => (socket.readyState === socket.CLOSED ? undefined : once(socket, 'close'));

async function runs(command, said) {
    const [out, err] = [new Kept(), new Kept()];
    let status;
    const stdin = said ? Readable.from(said) : null;
    const exec = new Exec(config);
    const socket = await exec.exec(namespace, 'web', 'web', command, out, err, stdin, false, (told) => (status = told));
    await closed(socket);
    return { protocol: socket.protocol, out: told(out.all), err: told(err.all), status };
}

// A terminal, the size of which changes while a program runs in it. The library takes it from what it prints to.
async function terminal() {
    const [out, stdin] = [Object.assign(new Kept(), { columns: 80, rows: 24 }), new PassThrough()];
    let status;
    const exec = new Exec(config);
    const told = (told) => (status = told);
    const socket = await exec.exec(namespace, 'web', 'web', ['sh', '-c', SIZED], out, null, stdin, true, told);
    Object.assign(out, { columns: 97, rows: 31 }).emit('resize');
    await out.until('it is so large');
    stdin.write('typed\n');
    await closed(socket);
    return { out: out.all.toString(), status };
}

async function attached(pod) {
    const [out, err, stdin] = [new Kept(), new Kept(), new PassThrough()];
    const socket = await new Attach(config).attach(namespace, pod, 'sh', out, err, stdin, false);
    for (const line of ['one', 'two']) {
        stdin.write(`${line}\n`);
        await out.until(`got ${line}\n`);
    }
    stdin.end();
    await closed(socket);
    return [told(out.all), told(err.all)];
}

// A log whose last lines are written after the first was read.
async function followed(pod) {
    const log = new Kept();
    await new Log(config).log(namespace, pod, 'sh', log, { follow: true });
    const ended = once(log, 'finish');
    await log.until('first\n');
    const out = new Kept();
    await closed(await new Exec(config).exec(namespace, pod, 'sh', ['touch', '/tmp/go'], out, out, null, false));
    await ended;
    return told(log.all);
}

// What comes from a port whose server closes the connection.
async function forwarded(port, said) {
    const [out, err, input] = [new Kept(), new Kept(), new PassThrough()];
    const socket = await new PortForward(config).portForward(namespace, 'web', [port], out, err, input);
    for (const piece of said) input.write(piece);
    await closed(socket);
    const body = out.all.indexOf('\r\n\r\n');
    const error = err.all.toString().replaceAll(/[0-9a-f]{64}|[0-9a-f-]{36}/g, '…');
    return { protocol: socket.protocol, out: digest(body < 0 ? out.all : out.all.subarray(body)), error };
}

// Until the size has arrived, which takes a moment.
const SIZED =
    'until [ "$(stty size)" = "31 97" ]; do sleep 0.1; done; echo it is so large; read line; echo got $line; exit 5';
const noise = Buffer.concat(
    Array.from({ length: 32_768 }, (_, number) => createHash('sha256').update(`${number}`).digest()),
);
const pieces = Array.from({ length: 16 }, (_, at) => noise.subarray(at * 65_536, (at + 1) * 65_536));
const head = (...lines) => `${lines.join('\r\n')}\r\nHost: web\r\nConnection: close\r\n\r\n`;
const form = `msg=${'abcdefghij'.repeat(104_856)}`;
const every = {
    exec: () => runs(['sh', '-c', 'echo out; echo err >&2; exit 3']),
    'exec that reads': () => runs(['sh', '-c', 'read line; echo got $line; cat'], ['one\ntwo\n', 'three']),
    'exec that is told much': () => runs(['cksum'], pieces),
    'exec that prints much': () => runs(['seq', '200000']),
    'exec with a terminal': terminal,
    'exec of nothing': () => runs(['no-such-program']),
    attach: () => attached(`attach-${name}`),
    log: () => followed(`log-${name}`),
    'port-forward': () => forwarded(80, [head('GET /agnhost HTTP/1.1', 'Range: bytes=1000-1048999')]),
    'port-forward of much': () =>
        forwarded(8080, [
            head(
                'POST /echo HTTP/1.0',
                'Content-Type: application/x-www-form-urlencoded',
                `Content-Length: ${form.length}`,
            ),
            form,
        ]),
    'port-forward to nobody': () => forwarded(81, []),
};

for (const [what, act] of Object.entries(every)) {
    const done = await act().catch((error) => error.message);
    console.log(JSON.stringify({ [what]: done }));
}
process.exit();
