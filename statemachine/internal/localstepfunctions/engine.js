// Runs state machines on aws-local-stepfunctions for a Go program, which provides
// the time and does the tasks: it replaces the engine's Date, timers and tasks.
//
// The two exchange lines of JSON over a loopback connection, in turns. A message
// defines a machine, or reports the next thing that happens to one execution: its
// start, a timer that is due, a task's answer, its abortion. The answer, sent when
// nothing more can happen at that instant, has the timers and tasks that the
// execution has asked for since, and how it ended, if it did.
"use strict";

const { connect } = require("node:net");
const { createInterface } = require("node:readline");

// The engine is made for Node.js 22. On Node.js 20 it would treat the lack of this
// function as a failure of the state.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new Promise((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
};

let now = 0; // milliseconds
let turn; // what was asked for since the last message: { execution, timers, cleared, tasks }
let numbers = 0; // the last number given to a timer or a task

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
    // The engine's validator takes longer than running a thousand states.
    const machine = new StateMachine(this.watched(definition), { validationOptions: { noValidate: true } });
    const { result, eventLogs, abort } = machine.run(input, {
      overrides: { taskResourceLocalHandlers: this.handlers(definition) },
      context: { ...context, State: this.visit },
    });
    this.abort = abort;
    this.follow(result, eventLogs);
  }

  // watched returns the definition in a form that records, whenever the engine
  // takes a state from it, what the engine omits from the context object.
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

  // handlers returns handlers that let the Go program do the tasks.
  handlers(definition) {
    const handlers = {};
    for (const [name, { Type, Resource }] of Object.entries(definition.States)) {
      if (Type !== "Task") {
        continue;
      }
      handlers[name] = (input) => {
        this.visit.RetryCount++; // for the next attempt, if there is one
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

  // follow waits for the execution's end.
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

// handle processes a message and returns its answer.
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
  await new Promise(setImmediate); // afterwards nothing more can happen at this instant
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
