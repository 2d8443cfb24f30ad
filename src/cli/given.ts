/** What was given on the command line, for options that have defaults of their own. */

/** The fields that are not `undefined`; the others leave the choice to the defaults. */
export function given<Options extends object>(options: Options) {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as {
    readonly [Name in keyof Options]?: Exclude<Options[Name], undefined>;
  };
}
