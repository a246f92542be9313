import { Component } from 'react'

export class Basket extends Component<{ items: number[] }> {
  override render() {
    return <u>{this.props.items.length}</u>
  }
}
