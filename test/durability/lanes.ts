/** Runs numbered rounds, several side by side, and stops at the first that fails. */

/** `round(number, lane)` for each number below `count`; the results in order. */
export async function inLanes<T>(
  count: number,
  lanes: number,
  round: (number: number, lane: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  let hasFailed = false;
  const work = async (lane: number) => {
    while (next < count && !hasFailed) {
      const number = next++;
      try {
        results[number] = await round(number, lane);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: lanes }, (_, lane) => work(lane)));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return results;
}
