/** The side of a pool's processes. */

export type Reply<Answer> = { ok: true; answer: Answer } | { ok: false; error: string };

/** Works off one order after the other, as they are sent. */
export function serve<Order, Answer>(work: (order: Order) => Promise<Answer>): void {
  const reply = (message: Reply<Answer>) => process.send?.(message);
  // Ctrl-C reaches every process of a terminal; the tool decides what becomes of them.
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit());
  process.on('message', (order: Order) => {
    work(order).then(
      (answer) => reply({ ok: true, answer }),
      (error: unknown) =>
        reply({ ok: false, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
}
