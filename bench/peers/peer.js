// The peers from npm: peer.js ENGINE DIR [JOB]. README.md says how they are spoken to.
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const BINS = 256;
const CLIP = "greatest(-3, least(3, (x - 10) / 3))";

const duckdb = async (directory, warm) => {
  const { DuckDBInstance, version } = await import("@duckdb/node-api");
  const db = await (await DuckDBInstance.create(":memory:")).connect();
  const file = `'${join(directory, "x.parquet")}'`;
  const out = `'${join(directory, "clip.duckdb.parquet")}'`;
  const source = warm ? "x" : file;
  if (warm) await db.run(`create table x as select x from ${file}`);
  const rows = async (sql) => (await db.runAndReadAll(sql)).getRows();
  const first = async (names, columns, from = source) => {
    const [row] = await rows(`select ${columns} from ${from}`);
    return Object.fromEntries(names.map((name, i) => [name, Number(row[i])]));
  };
  return {
    version: version(),
    sum: () => first(["sum"], "sum(x)"),
    meanstd: () => first(["mean", "std"], "avg(x), stddev_pop(x)"),
    stat: async () => {
      const names = ["count", "nan", "min", "max", "sum", "mean", "std"];
      const columns = "count(*), count(*) filter (isnan(x)), min(x), max(x), sum(x), avg(x), stddev_pop(x)";
      const [row] = await rows(`select ${columns}, quantile_cont(x, [0.25, 0.5, 0.75]) from ${source}`);
      const values = Object.fromEntries(names.map((name, i) => [name, Number(row[i])]));
      values.quartiles = row[names.length].items;
      const bin = `least(floor((x - ${values.min}) * ${BINS / (values.max - values.min)}), ${BINS - 1})::int`;
      values.histogram = new Array(BINS).fill(0);
      for (const [at, n] of await rows(`select ${bin} as bin, count(*) from ${source} group by bin`)) values.histogram[at] = Number(n);
      return values;
    },
    log1p: () => first(["sum"], "sum(ln(1 + abs(x)))"),
    clip: () => db.run(`copy (select ${CLIP} as x from ${source}) to ${out} (format parquet, compression uncompressed)`),
    check: async () => first(["min", "max", "mean"], "min(x), max(x), avg(x)", out),
  };
};

const polars = async (directory, warm) => {
  const { default: pl } = await import("nodejs-polars");
  const file = join(directory, "x.parquet");
  const out = join(directory, "clip.polars.parquet");
  const loaded = warm ? pl.readParquet(file) : null;
  const frame = () => (warm ? loaded.lazy() : pl.scanParquet(file));
  const x = pl.col("x");
  // std(0) of this package divides by n-1 all the same.
  const population = (std, n) => std * Math.sqrt((n - 1) / n);
  const first = async (columns, from = frame()) => {
    const row = await from.select(...Object.entries(columns).map(([name, c]) => c.alias(name))).collect();
    return Object.fromEntries(Object.keys(columns).map((name) => [name, Number(row.getColumn(name).get(0))]));
  };
  return {
    version: JSON.parse(readFileSync(new URL("node_modules/nodejs-polars/package.json", import.meta.url))).version,
    sum: () => first({ sum: x.sum() }),
    meanstd: async () => {
      const { count, ...values } = await first({ count: pl.len(), mean: x.mean(), std: x.std() });
      return { ...values, std: population(values.std, count) };
    },
    stat: async () => {
      const q = (p) => x.quantile(p, "linear");
      const { q1, q2, q3, ...values } = await first({
        count: pl.len(), nan: x.isNan().sum(), min: x.min(), max: x.max(), sum: x.sum(), mean: x.mean(), std: x.std(),
        q1: q(0.25), q2: q(0.5), q3: q(0.75),
      });
      values.quartiles = [q1, q2, q3];
      values.std = population(values.std, values.count);
      const bin = x.minus(values.min).mul(BINS / (values.max - values.min)).cast(pl.Int32).clip(0, BINS - 1);
      const bins = await frame().select(bin.alias("bin")).groupBy("bin").agg(pl.len().alias("n")).collect();
      values.histogram = new Array(BINS).fill(0);
      const [at, n] = [bins.getColumn("bin").toArray(), bins.getColumn("n").toArray()];
      at.forEach((b, i) => (values.histogram[b] = Number(n[i])));
      return values;
    },
    log1p: () => first({ sum: x.abs().log1p().sum() }),
    clip: async () => {
      const y = x.sub(10).div(3).clip(-3, 3);
      (await frame().select(y.alias("x")).collect()).writeParquet(out, { compression: "uncompressed" });
    },
    check: () => first({ min: x.min(), max: x.max(), mean: x.mean() }, pl.scanParquet(out)),
    // Not a job: makes the file that both engines read, of the numbers of x.npy.
    convert: () => {
      const bytes = readFileSync(join(directory, "x.npy"));
      const begin = 10 + bytes.readUInt16LE(8);
      const numbers = new Float64Array(bytes.buffer.slice(bytes.byteOffset + begin, bytes.byteOffset + bytes.length));
      pl.DataFrame({ x: pl.Series("x", numbers, pl.Float64) }).writeParquet(file, { compression: "uncompressed" });
    },
  };
};

const answer = async (engine, line) => {
  const [verb, job] = line.split(" ");
  if (verb === "check") return { values: await engine.check(job) };
  if (!engine[verb]) return { absent: true };
  const begin = performance.now();
  const values = await engine[verb]();
  return { seconds: (performance.now() - begin) / 1000, values: values ?? null };
};

process.on("uncaughtException", (e) => {
  console.error(e.message.split("\n")[0]);
  process.exit(1);
});

const [name, directory, job] = process.argv.slice(2);
const engines = { duckdb, polars };
if (job) {
  const engine = job === "convert" ? await polars(directory, false) : await engines[name](directory, false);
  console.log(JSON.stringify(await answer(engine, job)));
} else {
  const engine = await engines[name](directory, true);
  console.log(JSON.stringify({ version: engine.version }));
  for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await answer(engine, line.trim())));
}
