/** The side of a pool's processes. */

export type Reply<Answer> = { ok: true; answer: Answer } | { ok: false; error: string };

/** Works off one order after the other, as they are sent. */
export function serve<Order, Answer>(work: (order: Order) => Promise<Answer>): void {
  const reply = (message: Reply<Answer>) => process.send?.(message);
  process.on('message', (order: Order) => {
    work(order).then(
      (answer) => reply({ ok: true, answer }),
      (error: unknown) =>
        reply({ ok: false, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
}
