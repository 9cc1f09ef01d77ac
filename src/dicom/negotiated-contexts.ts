import type { NegotiatedContext, ProposedContext } from './upper-layer/pdu.ts';
import { CONTEXT_RESULTS } from './upper-layer/reasons.ts';

/** The presentation contexts of an association that we asked for, and what the peer made of them (PS3.8 section 7.1.1.13). */
export class NegotiatedContexts {
  readonly #proposed: readonly ProposedContext[];
  /** Accepted contexts: abstract syntax, transfer syntax, context id. */
  readonly #accepted = new Map<string, Map<string, number>>();
  readonly #results = new Map<number, string>();

  constructor(proposed: readonly ProposedContext[]) {
    this.#proposed = proposed;
  }

  answered(contexts: readonly NegotiatedContext[]): void {
    for (const { id, result, transferSyntax } of contexts) {
      const proposed = this.#proposed.find((context) => context.id === id);
      if (proposed === undefined) continue;
      const known = proposed.transferSyntaxes.includes(transferSyntax);
      this.#results.set(
        id,
        result === 0 && !known
          ? 'accepted with a transfer syntax we did not propose'
          : CONTEXT_RESULTS[result],
      );
      if (result !== 0 || !known) continue;
      const byTransferSyntax = this.#accepted.get(proposed.abstractSyntax) ?? new Map<string, number>();
      if (!byTransferSyntax.has(transferSyntax)) byTransferSyntax.set(transferSyntax, id);
      this.#accepted.set(proposed.abstractSyntax, byTransferSyntax);
    }
  }

  /** The context to use; with a transfer syntax of null any accepted one. Undefined when there is none. */
  idOf(abstractSyntax: string, transferSyntax: string | null): number | undefined {
    const contexts = this.#accepted.get(abstractSyntax);
    return transferSyntax === null ? contexts?.values().next().value : contexts?.get(transferSyntax);
  }

  /** Why there is no context: what was proposed and how it was answered. */
  describeRefusal(abstractSyntax: string, transferSyntax: string | null): string {
    const wanted = transferSyntax === null ? 'any transfer syntax' : `transfer syntax ${transferSyntax}`;
    const tried = this.#proposed
      .filter((context) => context.abstractSyntax === abstractSyntax)
      .map(
        ({ id, transferSyntaxes }) =>
          `${transferSyntaxes.join(', ')}: ${this.#results.get(id) ?? 'not answered'}`,
      );
    const proposals = tried.length === 0 ? 'it was not proposed' : `proposed with ${tried.join('; ')}`;
    return `no presentation context for SOP class ${abstractSyntax} with ${wanted} (${proposals})`;
  }
}
