/** Whoever writes an answer once it is its turn. */
interface AnswerWriter<Answer> {
  write(answer: Answer): void;
}

interface Pending<Answer> {
  readonly writer: AnswerWriter<Answer>;
  readonly answer: Answer;
}

/**
 * Answers, written together at the end of the turn: one write after the other is twice as quick as each for itself,
 * between which the clients are woken.
 */
export class AnswerBatch<Answer> {
  #pending: Pending<Answer>[] = [];

  add(writer: AnswerWriter<Answer>, answer: Answer): void {
    if (this.#pending.push({ writer, answer }) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const { writer, answer } of pending) writer.write(answer);
  }
}
