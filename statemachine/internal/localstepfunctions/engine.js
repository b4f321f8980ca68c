// Runs state machines on aws-local-stepfunctions for a Go program, which has the
// time and the tasks: the engine's Date, its timers and its tasks are that
// program's.
//
// Both talk over a loopback connection in lines of JSON, in turns. A message
// defines a machine, or tells one execution the next thing that happens to it:
// its start, a timer that is due, a task's answer, its abortion. The answer, once
// nothing more can happen at that instant, is what the execution asked for in
// between, timers and tasks, and how it ended, if it did.
"use strict";

const { connect } = require("node:net");
const { createInterface } = require("node:readline");

// The engine is made for Node.js 22, and on Node.js 20 would take the lack of
// this function for a failure of the state.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new Promise((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
};

let now = 0; // milliseconds
let turn; // what is asked for since the last message: { execution, timers, cleared, tasks }
let numbers = 0; // of timers and tasks so far

globalThis.Date = class extends Date {
  constructor(...fields) {
    super(...(fields.length ? fields : [now]));
  }
  static now() {
    return now;
  }
};
globalThis.setTimeout = (due, after) => {
  const number = ++numbers;
  turn.execution.timers.set(number, due);
  turn.timers.push({ number, after });
  return { execution: turn.execution, number };
};
globalThis.clearTimeout = (timer) => {
  if (timer?.execution.timers.delete(timer.number)) {
    turn.cleared.push(timer.number);
  }
};

const { StateMachine } = require("aws-local-stepfunctions");

// Execution is one run of a machine.
class Execution {
  timers = new Map();
  tasks = new Map();
  visit = { EnteredTime: "", Name: "", RetryCount: 0 };

  start(definition, input, context) {
    // Its validator takes longer than a thousand states.
    const machine = new StateMachine(this.watched(definition), { validationOptions: { noValidate: true } });
    const { result, eventLogs, abort } = machine.run(input, {
      overrides: { taskResourceLocalHandlers: this.handlers(definition) },
      context: { ...context, State: this.visit },
    });
    this.abort = abort;
    this.follow(result, eventLogs);
  }

  // watched is the definition, with what the engine leaves out of the context
  // object noted whenever it takes a state from it.
  watched(definition) {
    const states = {};
    for (const [name, state] of Object.entries(definition.States)) {
      const get = () => {
        Object.assign(this.visit, { EnteredTime: new Date().toISOString(), Name: name, RetryCount: 0 });
        return state;
      };
      Object.defineProperty(states, name, { get });
    }
    return { ...definition, States: states };
  }

  // handlers has the Go program carry out the tasks.
  handlers(definition) {
    const handlers = {};
    for (const [name, { Type, Resource }] of Object.entries(definition.States)) {
      if (Type !== "Task") {
        continue;
      }
      handlers[name] = (input) => {
        this.visit.RetryCount++; // of the next attempt, if there is one
        const number = ++numbers;
        turn.tasks.push({ number, resource: Resource, input });
        return new Promise((resolve, reject) => this.tasks.set(number, { resolve, reject }));
      };
    }
    return handlers;
  }

  answered({ number, answer, error, cause }) {
    const { resolve, reject } = this.tasks.get(number);
    if (error === undefined) {
      resolve(answer);
    } else {
      reject(Object.assign(new Error(cause), { name: error }));
    }
  }

  // follow waits for the end.
  async follow(result, eventLogs) {
    const path = [];
    const logged = (async () => {
      for await (const event of eventLogs) {
        if (event.type === "StateEntered") {
          path.push(event.state.name);
        }
      }
    })();
    let end;
    try {
      end = { output: await result };
    } catch ({ name, message, cause }) {
      end = { error: cause?.name ?? name, cause: cause?.message ?? message };
    }
    await logged;
    this.end = { ...end, path };
  }
}

const machines = new Map();
const executions = new Map();

// handle takes a message and returns its answer.
async function handle(message) {
  const { define, start, timer, task } = message;
  if (define) {
    machines.set(define.machine, JSON.parse(define.definition));
    return {};
  }
  if (start) {
    executions.set(message.execution, new Execution());
  }
  const execution = executions.get(message.execution);
  now = message.now;
  turn = { execution, timers: [], cleared: [], tasks: [] };
  if (start) {
    execution.start(machines.get(start.machine), start.input, start.context);
  } else if (timer) {
    const due = execution.timers.get(timer);
    execution.timers.delete(timer);
    due();
  } else if (task) {
    execution.answered(task);
  } else {
    execution.abort();
  }
  await new Promise(setImmediate); // by then, nothing is left to happen
  if (execution.end) {
    executions.delete(message.execution);
  }
  const { timers, cleared, tasks } = turn;
  return { timers, cleared, tasks, end: execution.end };
}

async function main() {
  const connection = connect(Number(process.argv.at(-1)), "127.0.0.1");
  for await (const line of createInterface({ input: connection, crlfDelay: Infinity })) {
    let answer;
    try {
      answer = await handle(JSON.parse(line));
    } catch (error) {
      answer = { broken: String(error.stack) };
    }
    connection.write(JSON.stringify(answer) + "\n");
  }
  process.exit();
}

main();
