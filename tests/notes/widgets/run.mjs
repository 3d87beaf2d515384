// Call a function of a module with each list of arguments on standard input; what it gives, or
// the Problem it throws, is written out. JSON has no infinity: it is written as a string.
import { readFileSync } from "node:fs";

const [path, name] = process.argv.slice(2);
const module = await import(path);
const results = JSON.parse(readFileSync(0, "utf8")).map((given) => {
  try {
    return { value: module[name](...given) };
  } catch (problem) {
    if (problem.zh === undefined) throw problem;
    return { problem: [problem.message, problem.zh] };
  }
});
const plain = (_, value) =>
  typeof value === "number" && !Number.isFinite(value) ? { number: String(value) } : value;
process.stdout.write(JSON.stringify(results, plain));
