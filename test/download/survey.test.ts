/** A survey waits for everybody who may still count, and for nobody else. */

import assert from "node:assert/strict";
import type { DownloadEvent } from "../../src/download/progress.js";
import { type Survey, survey } from "../../src/download/survey.js";
import { limits } from "../../src/limits.js";
import { type Call, type Clock, type Replica, ReplicaFault } from "../../src/ports.js";
import type { Fault } from "../../src/schedule/faults.js";
import { type Answer, replicaId } from "../../src/trust/quorum.js";
import type { Rule } from "../../src/trust/rule.js";
import {
  altered,
  claimingAfter,
  fickle,
  lateClaim,
  lying,
  nothing,
  renaming,
  silent,
} from "../support/broken-replica.js";
import { FakeClock } from "../support/fake-clock.js";
import { memoryReplica } from "../support/memory-replica.js";
import { type ByLetter, honest, name, replicasOf } from "./small-download.js";

class Asking {
  readonly clock = new FakeClock(0);
  readonly abort = new AbortController();
  readonly events: DownloadEvent[] = [];

  survey(byLetter: ByLetter, rule: Rule = { kind: "majority" }): Promise<Survey> {
    const { clock } = this;
    const onEvent = (event: DownloadEvent) => this.events.push(event);
    const { signal } = this.abort;
    return survey({ replicas: replicasOf(byLetter), name, rule, clock, signal, onEvent });
  }

  silent(): Replica {
    return silent(honest(), this.clock);
  }

  late(ms: number): Replica {
    return lateClaim(honest(), ms, this.clock);
  }
}

const answers = ({ agreement }: Survey): string =>
  agreement.votes.map(({ replica, answer }) => `${replica} ${answer.kind}`).join(", ");

const whyOf = ({ agreement }: Survey, letter: string): string => {
  const answer: Answer | undefined = agreement.votes.find(
    ({ replica }) => replica === letter,
  )?.answer;
  return answer?.kind === "silent" ? answer.why : "not silent";
};

const hashing = (doneBytes: number, retryMs = 500): Fault => {
  return { kind: "hashing", doneBytes, totalBytes: 1e9, retryMs };
};

const busy: Fault = { kind: "busy", retryMs: 700 };
const missing = (): Replica => memoryReplica({ "other.bin": Buffer.alloc(3) });

describe("a survey", () => {
  it("ends at once when everybody has answered", async () => {
    const asking = new Asking();
    const result = await asking.survey({ A: honest(), B: lying(honest()), C: missing() });
    assert.equal(answers(result), "A claimed, B claimed, C missing");
    assert.equal(asking.clock.now(), 0);
  });

  it("ends a short grace after nothing can change the verdict", async () => {
    const asking = new Asking();
    const result = await asking.survey({ A: honest(), B: asking.late(40), C: asking.silent() });
    assert.equal(result.agreement.reached, true);
    assert.equal(asking.clock.now(), 40 + limits.surveyGraceLeastMs);
    assert.match(whyOf(result, "C"), /had not answered when the quorum was clear/);
  });

  it("counts who answers within the grace", async () => {
    const asking = new Asking();
    const result = await asking.survey({ A: honest(), B: honest(), C: asking.late(90) });
    assert.equal(answers(result), "A claimed, B claimed, C claimed");
    assert.equal(result.latecomers.size, 0);
    assert.equal(asking.clock.now(), 90);
  });

  it("waits the longer, the further they are who agree, within bounds", async () => {
    for (const [clearMs, waited] of [
      [0, 100],
      [400, 200],
      [4000, 300],
    ] as const) {
      const asking = new Asking();
      const late = () => asking.late(clearMs);
      await asking.survey({ A: late(), B: late(), C: asking.silent() });
      assert.equal(asking.clock.now(), clearMs + waited);
    }
  });

  it("knows how far a latecomer is once it has answered", async () => {
    const asking = new Asking();
    const result = await asking.survey({ A: honest(), B: honest(), C: asking.late(200) });
    const C = replicaId("C");
    assert.equal(result.roundTripsMs.get(C), undefined);
    await result.latecomers.get(C);
    assert.equal(result.roundTripsMs.get(C), 200);
  });

  it("waits for silent replicas as long as they may change the verdict, and no longer", async () => {
    const asking = new Asking();
    const result = await asking.survey({ A: honest(), B: asking.silent(), C: asking.silent() });
    assert.equal(result.agreement.reached, false);
    assert.equal(asking.clock.now(), limits.surveyMs);
    assert.match(whyOf(result, "B"), /no answer within 5\.0 s/);
  });

  it("with the rule of all, waits for the last one", async () => {
    const asking = new Asking();
    const rule: Rule = { kind: "all" };
    const result = await asking.survey({ A: honest(), B: honest(), C: asking.late(4000) }, rule);
    assert.equal(result.agreement.reached, true);
    assert.equal(asking.clock.now(), 4000);
  });

  it("measures how long each took", async () => {
    const asking = new Asking();
    const { roundTripsMs } = await asking.survey({ A: asking.late(30), B: asking.late(120) });
    assert.deepEqual([...roundTripsMs.values()], [30, 120]);
  });

  it("hands over who comes late, and his answer when it is there", async () => {
    const asking = new Asking();
    const result = await asking.survey({ A: honest(), B: honest(), C: asking.late(2000) });
    assert.equal(result.latecomers.size, 1);
    const vote = await result.latecomers.get(replicaId("C"));
    assert.deepEqual([vote?.replica, vote?.answer.kind], ["C", "claimed"]);
    assert.equal(asking.clock.now(), 2000);
  });

  it("takes the answer for another name for no answer", async () => {
    const result = await new Asking().survey({ A: honest(), B: honest(), C: renaming(honest()) });
    assert.match(whyOf(result, "C"), /it answered for another name/);
  });

  it("takes whatever a replica throws for its silence", async () => {
    const broken = altered(honest(), {
      claim: async () => {
        throw new TypeError("a bug of its own");
      },
    });
    const result = await new Asking().survey({ A: honest(), B: honest(), C: broken });
    assert.match(whyOf(result, "C"), /a bug of its own/);
  });

  it("asks each replica once: who says something else each time is one dissenter", async () => {
    const result = await new Asking().survey({ A: honest(), B: honest(), C: fickle(honest()) });
    const { agreement } = result;
    assert.ok(agreement.reached);
    assert.deepEqual([agreement.agreeing, agreement.dissenting], [["A", "B"], ["C"]]);
  });
});

describe("a survey of a replica that is hashing", () => {
  it("waits as long as there is progress", async () => {
    const asking = new Asking();
    const faults = Array.from({ length: 200 }, (_, index) => hashing(index * 1000));
    const result = await asking.survey({ A: claimingAfter(honest(), faults) });
    assert.equal(answers(result), "A claimed");
    assert.equal(asking.clock.now(), 200 * 500);
    const told = asking.events.filter(({ event }) => event === "hashing");
    assert.equal(told.length, 200);
  });

  it("gives up when there is none", async () => {
    const asking = new Asking();
    const faults = Array.from({ length: 1000 }, () => hashing(5000));
    const result = await asking.survey({ A: claimingAfter(honest(), faults) });
    assert.match(whyOf(result, "A"), /still hashing, 5000 of 1000000000 bytes/);
    assert.equal(asking.clock.now(), limits.hashingStallMs - 500);
  });

  it("gives up on one whose progress goes back and forth", async () => {
    const asking = new Asking();
    const faults = Array.from({ length: 1000 }, (_, index) => hashing(1000 * (index % 3)));
    const result = await asking.survey({ A: claimingAfter(honest(), faults) });
    assert.match(whyOf(result, "A"), /still hashing/);
    assert.ok(asking.clock.now() < limits.hashingStallMs + 2000);
  });

  it("does not ask in a busy loop, whatever it is told", async () => {
    const asking = new Asking();
    let asked = 0;
    const eager = altered(honest(), {
      async claim() {
        asked++;
        throw new ReplicaFault(hashing(1, 0));
      },
    });
    await asking.survey({ A: eager });
    assert.ok(asked <= limits.hashingStallMs / limits.retryMinMs + 1, `${asked} questions`);
  });

  it("does not wait for it when the verdict is clear without", async () => {
    const asking = new Asking();
    const faults = Array.from({ length: 1000 }, (_, index) => hashing(index));
    const hashes = claimingAfter(honest(), faults);
    const result = await asking.survey({ A: honest(), B: honest(), C: hashes });
    assert.equal(result.agreement.reached, true);
    assert.equal(asking.clock.now(), limits.surveyGraceLeastMs);
    asking.abort.abort();
  });
});

describe("a survey of a replica that is busy", () => {
  it("comes back when it was told to", async () => {
    const asking = new Asking();
    const result = await asking.survey({ A: claimingAfter(honest(), [busy, busy]) });
    assert.equal(answers(result), "A claimed");
    assert.equal(asking.clock.now(), 1400);
    assert.deepEqual([...result.roundTripsMs.values()], [0], "waiting is not distance");
  });

  it("gives up when its time is up", async () => {
    const asking = new Asking();
    const result = await asking.survey({
      A: claimingAfter(
        honest(),
        Array.from({ length: 100 }, () => busy),
      ),
    });
    assert.match(whyOf(result, "A"), /busy for 700 ms/);
    assert.ok(asking.clock.now() <= limits.surveyMs);
  });
});

describe("a survey that is aborted", () => {
  const reason = new Error("enough");
  const hashes = Array.from({ length: 1000 }, (_, index) => hashing(index));
  const cases: readonly (readonly [string, (asking: Asking) => ByLetter])[] = [
    ["before anybody answers", (asking) => ({ A: asking.silent(), B: asking.silent() })],
    ["while one hashes", () => ({ A: claimingAfter(honest(), hashes) })],
    ["in the grace", (asking) => ({ A: honest(), B: honest(), C: asking.silent() })],
  ];
  for (const [when, world] of cases) {
    it(`${when} rejects with the reason, and tells no verdict`, async () => {
      const asking = new Asking();
      const surveyed = asking.survey(world(asking));
      void asking.clock.sleep(100).then(() => asking.abort.abort(reason));
      await assert.rejects(surveyed, (error) => error === reason);
      assert.ok(asking.clock.now() < 1000);
      assert.ok(asking.events.every(({ event }) => event !== "agreement"));
    });
  }

  it("on its way in asks nobody for long", async () => {
    const asking = new Asking();
    asking.abort.abort(reason);
    const surveyed = asking.survey({ A: asking.silent(), B: honest() });
    await assert.rejects(surveyed, (error) => error === reason);
    assert.equal(asking.clock.now(), 0);
  });
});

describe("the deadline of a question", () => {
  it("is the time that the survey still has", async () => {
    const asking = new Asking();
    const deadlines: number[] = [];
    const watched = (clock: Clock): Replica => {
      const faults = [busy, busy][Symbol.iterator]();
      const inner = claimingAfter(honest(), { [Symbol.iterator]: () => faults });
      return altered(inner, {
        claim(which, call: Call) {
          deadlines.push(call.deadlineMs);
          return deadlines.length > 2 ? nothing(clock, call) : inner.claim(which, call);
        },
      });
    };
    await asking.survey({ A: watched(asking.clock) });
    assert.deepEqual(deadlines, [5000, 4300, 3600]);
    assert.equal(asking.clock.now(), limits.surveyMs);
  });
});
